"""Download a published file once, check it by its hash, and keep it in the cache."""

from __future__ import annotations

from pathlib import Path

from zerosum.data.items import Progress
from zerosum.errors import Refusal

_MB = 10**6


class _Bar:
    """A progress bar as pooch wants it, which reports to `progress` in megabytes."""

    def __init__(self, label: str, progress: Progress) -> None:
        self.label, self.progress = label, progress
        self.total = self.done = 0

    def update(self, count: int) -> None:
        self.done += count
        # Some servers do not send the total size.
        if self.total:
            self.progress(self.label, min(self.done, self.total) // _MB, self.total // _MB)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Part of pooch's interface; nothing to close."""


def downloaded(what: str, url: str, sha256: str, path: Path, otherwise: str, progress: Progress | None = None) -> Path:
    """The file from `url` with this SHA-256, at `path`: downloaded unless it is there already. Returns `path`.

    what: the file in words. otherwise: what a user can do if the download fails, the end of the error message. progress: called with
    megabytes. Raises Refusal where the file can neither be found nor downloaded, or has another hash.
    """
    if path.is_dir():
        raise Refusal(f"{path} is a folder, where {what} is stored as a file: remove it.")
    import pooch

    # pooch logs its downloads to standard error; here the caller shows the progress.
    pooch.get_logger().setLevel("WARNING")
    bar = False if progress is None else _Bar(f"Downloading {path.name} (MB)", progress)
    try:
        return Path(pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=path.name, path=path.parent, progressbar=bar))
    except (OSError, ValueError) as error:
        raise Refusal(f"{what} could not be downloaded from {url} ({type(error).__name__}): {otherwise}.") from error
