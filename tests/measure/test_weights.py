"""Where the file is looked for and what is said of it: with a small file in the published one's place."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from errno import EACCES
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from zerosum.errors import Refusal
from zerosum.measure.weights import FID_2015, VARIABLE, Published, cache_folder, find_local, load, obtain

STATE = {"Conv2d_1a_3x3.conv.weight": torch.arange(6.0).reshape(2, 3), "fc.bias": torch.ones(1)}
NAMES = FID_2015.names


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture(params=[True, False], ids=["zip", "before 1.6"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Both formats of PyTorch: the published file is of 2018."""
    path = tmp_path / "served" / NAMES[0]
    path.parent.mkdir()
    torch.save(STATE, path, _use_new_zipfile_serialization=request.param)
    return path


def as_published(path: Path) -> Published:
    content = path.read_bytes()
    # Nothing listens on port 9.
    return Published(NAMES, len(content), sha256(content).hexdigest(), f"http://127.0.0.1:9/{NAMES[0]}")


def put(file: Path, at: Path) -> Path:
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_bytes(file.read_bytes())
    return at


def refusal(path: Path, published: Published) -> str:
    with pytest.raises(Refusal) as refused:
        load(path, published)
    words = str(refused.value)
    assert words.endswith(".")
    assert "\n" not in words
    return words


def test_the_published_file_is_told_by_its_own_name() -> None:
    assert all(FID_2015.sha256.startswith(name.removesuffix(".pth").rsplit("-", 1)[1]) for name in NAMES)
    assert FID_2015.url.endswith(f"/{NAMES[0]}")
    assert len(FID_2015.sha256) == 64


def test_what_was_saved_is_read(file: Path) -> None:
    found = load(file, as_published(file))
    assert found.keys() == STATE.keys()
    for key, value in STATE.items():
        assert_close(found[key], value)


def test_whatever_is_not_that_file_is_told_in_a_sentence(file: Path, tmp_path: Path) -> None:
    published = as_published(file)
    assert "There is no file" in refusal(tmp_path / "nowhere.pth", published)
    assert "is a folder" in refusal(tmp_path, published)
    assert "not a regular file" in refusal(Path(os.devnull), published)
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    cut = refusal(file, published)
    assert f"{len(content) - 1:,} bytes" in cut
    assert f"{len(content):,}" in cut
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    other = refusal(file, published)
    assert published.sha256 in other
    assert sha256(file.read_bytes()).hexdigest() in other
    assert published.url in other
    assert "cannot be read" in refusal(Path("a\0b"), published)
    assert "cannot be read" in refusal(Path("~nobody-of-this-name/weights.pth"), published)


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = as_published(file)

    def denied(path: Path) -> bytes:
        raise PermissionError(EACCES, os.strerror(EACCES), str(path))

    # Taking the right away would not stop an administrator.
    monkeypatch.setattr(Path, "read_bytes", denied)
    assert f"cannot be read ({os.strerror(EACCES)}): make it readable" in refusal(file, published)


class Payload:
    """On being unpickled it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_program_in_the_file_is_not_run_even_under_its_hash(zipped: bool, tmp_path: Path) -> None:
    mark, path = tmp_path / "executed", tmp_path / "weights.pth"
    torch.save({"fc.bias": Payload(mark)}, path, _use_new_zipfile_serialization=zipped)
    assert "cannot be read as PyTorch weights" in refusal(path, as_published(path))
    assert not mark.exists()
    torch.load(path, weights_only=False)
    assert mark.exists()


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no zip", b"\x80\2}q\0."])
def test_what_is_no_state_dict_is_told_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert "cannot be read as PyTorch weights" in refusal(path, as_published(path))


def test_bytes_with_another_hash_are_never_handed_to_torch(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = replace(as_published(file), sha256="0" * 64)
    monkeypatch.setattr(torch, "load", lambda *given, **options: pytest.fail("handed on"))
    refusal(file, published)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["cache/inception", "torch/hub/checkpoints"])
def test_it_is_found_where_tools_leave_it(file: Path, folder: str, name: str, tmp_path: Path) -> None:
    published = as_published(file)
    assert find_local(published) is None
    at = put(file, tmp_path / folder / name)
    assert (find_local(published) or {}).keys() == STATE.keys()
    assert obtain(None, published).keys() == STATE.keys()
    at.write_bytes(b"another")
    assert find_local(published) is None


def test_a_bad_file_at_hand_does_not_hide_a_good_one(file: Path, tmp_path: Path) -> None:
    put(file, cache_folder() / NAMES[0]).write_bytes(b"another")
    put(file, tmp_path / "torch" / "hub" / "checkpoints" / NAMES[1])
    assert find_local(as_published(file)) is not None


def test_who_names_a_file_gets_it_or_a_sentence(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = as_published(file)
    put(file, cache_folder() / NAMES[0])
    with pytest.raises(Refusal, match=r"no file .*nowhere"):
        obtain(tmp_path / "nowhere", published)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(Refusal, match=r"no file .*elsewhere"):
        obtain(None, published)
    assert obtain(file, published).keys() == STATE.keys()
    monkeypatch.setenv(VARIABLE, str(file))
    assert obtain(None, published).keys() == STATE.keys()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture
def served(file: Path) -> Iterator[Published]:
    """The file, as published by a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(file.parent))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield replace(as_published(file), url=f"http://127.0.0.1:{server.server_port}/{NAMES[0]}")
        server.shutdown()
        thread.join()


def test_what_is_asked_for_is_downloaded_once_and_kept(served: Published, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.data.download._MB", 1)
    told: list[tuple[str, int, int]] = []
    assert obtain(None, served, lambda *step: told.append(step)).keys() == STATE.keys()
    assert told[-1] == (f"Downloading {NAMES[0]} (MB)", served.size, served.size)
    assert [path.name for path in cache_folder().iterdir()] == [NAMES[0]]
    file.unlink()
    assert obtain(None, served).keys() == STATE.keys()


def test_a_bad_file_in_our_own_folder_is_replaced(served: Published) -> None:
    cache_folder().mkdir(parents=True)
    (cache_folder() / NAMES[0]).write_bytes(b"another")
    assert obtain(None, served).keys() == STATE.keys()


def test_another_file_at_the_address_is_not_kept(served: Published) -> None:
    other = replace(served, sha256="0" * 64)
    with pytest.raises(Refusal, match="could not be downloaded"):
        obtain(None, other)
    assert list(cache_folder().iterdir()) == []


def test_nothing_is_downloaded_unasked(served: Published) -> None:
    assert find_local(served) is None
    assert not cache_folder().exists()


def test_without_a_network_there_is_a_sentence(file: Path) -> None:
    published = as_published(file)
    with pytest.raises(Refusal) as refused:
        obtain(None, published)
    words = str(refused.value)
    for needed in (published.url, published.sha256, str(cache_folder() / NAMES[0]), "--weights", VARIABLE):
        assert needed in words
    assert words.endswith(f"${VARIABLE}.")
    put(file, cache_folder() / NAMES[0]).write_bytes(b"cut sho")
    with pytest.raises(Refusal, match=rf"; the file at .*{NAMES[0]} is another one, or incomplete\.$"):
        obtain(None, published)


def test_a_folder_in_its_place_is_told(served: Published) -> None:
    (cache_folder() / NAMES[0]).mkdir(parents=True)
    with pytest.raises(Refusal, match="is a folder"):
        obtain(None, served)
