"""A file that is published, had once and kept: downloaded, checked by its hash, and then read where it lies."""

from __future__ import annotations

from pathlib import Path

from zerosum.data.items import Progress
from zerosum.errors import Refusal

_MB = 10**6


class _Bar:
    """What pooch tells of a download, handed on as progress in megabytes."""

    def __init__(self, label: str, progress: Progress) -> None:
        self.label, self.progress = label, progress
        self.total = self.done = 0

    def update(self, count: int) -> None:
        self.done += count
        # A server need not say how much is to come.
        if self.total:
            self.progress(self.label, min(self.done, self.total) // _MB, self.total // _MB)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Nothing is held open."""


def downloaded(what: str, url: str, sha256: str, path: Path, otherwise: str, progress: Progress | None = None) -> Path:
    """`path`, which holds the file from `url` with this SHA-256: as it was left there, else downloaded and put there whole.

    what: it, in words. otherwise: what to do where it cannot be had, the end of the sentence. progress: called with megabytes as they come.
    Raises Refusal where it can neither be found nor downloaded, or is another file.
    """
    if path.is_dir():
        raise Refusal(f"{path} is a folder, and {what} is kept there as a file: remove it.")
    import pooch

    # pooch says on standard error what it downloads; progress here belongs to the caller.
    pooch.get_logger().setLevel("WARNING")
    bar = False if progress is None else _Bar(f"Downloading {path.name} (MB)", progress)
    try:
        return Path(pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=path.name, path=path.parent, progressbar=bar))
    except (OSError, ValueError) as error:
        raise Refusal(f"{what} could not be downloaded from {url} ({type(error).__name__}): {otherwise}.") from error
