from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zerosum.data import cache
from zerosum.data.block import Block
from zerosum.data.cache import DecodedImages, Decoding, cache_directory, memory_budget, spill_to_disk
from zerosum.data.digest import digests
from zerosum.errors import Refusal

SHAPE = (1, 4, 5)


def block(values: Sequence[int], reasons: dict[int, str]) -> Block:
    """Images of one value each; keys are 100 more."""
    pixels = np.stack([np.full(SHAPE, value, np.uint8) for value in values])
    keys = np.array([100 + value for value in values], np.uint64)
    return Block(pixels, keys, digests(pixels), reasons)


# Seven images, of which the last cannot be used.
BLOCKS = [block(range(4), {}), block([4, 5, 0], {2: "cut short"})]


def cached_images(count: int, shape: tuple[int, int, int], identity: str, decode: Callable[[], Decoding]) -> DecodedImages:
    """With the caches complete that are written meanwhile."""
    found = cache.cached_images(count, shape, identity, decode)
    cache.stored()
    return found


@pytest.fixture(autouse=True)
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "memory_budget", lambda: 0)
    return tmp_path / "cache" / "images"


def finished(on_disk: Path) -> list[str]:
    return sorted(p.name for p in on_disk.iterdir() if p.is_dir())


def test_disk_and_memory_hold_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = cached_images(7, SHAPE, "a", lambda: BLOCKS)
    monkeypatch.setattr(cache, "memory_budget", lambda: 10**6)
    memory = cached_images(7, SHAPE, "a", lambda: BLOCKS)
    assert isinstance(disk.pixels, np.memmap)
    assert not isinstance(memory.pixels, np.memmap)
    assert np.array_equal(disk.pixels, memory.pixels)
    assert np.array_equal(disk.keys, memory.keys)
    assert disk.reasons == memory.reasons == {6: "cut short"}
    assert np.array_equal(disk.content, digests(disk.pixels))
    assert np.array_equal(memory.content, disk.content)
    assert disk.pixels[3].min() == disk.pixels[3].max() == 3


def test_a_cache_is_made_once_for_each_identity(on_disk: Path) -> None:
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    cached_images(7, SHAPE, "a", lambda: pytest.fail("decoded twice"))
    assert len(finished(on_disk)) == 1
    cached_images(7, SHAPE, "b", lambda: BLOCKS)
    assert len(finished(on_disk)) == 2


def test_a_build_that_dies_leaves_nothing_that_looks_finished(on_disk: Path) -> None:
    def dying() -> Iterator[Any]:
        yield BLOCKS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_images(7, SHAPE, "a", dying)
    assert finished(on_disk) == []
    assert len(cached_images(7, SHAPE, "a", lambda: BLOCKS).pixels) == 7


def test_what_a_killed_process_left_is_swept_away(on_disk: Path) -> None:
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    (name,) = finished(on_disk)
    (on_disk / name).rename(on_disk / f"{name}.building")
    assert len(cached_images(7, SHAPE, "a", lambda: BLOCKS).pixels) == 7
    assert finished(on_disk) == [name]


@pytest.mark.parametrize("damage", ["images.npy", "keys.npy", "content.npy", "facts.json"])
def test_a_damaged_cache_is_made_anew(on_disk: Path, damage: str) -> None:
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    file = on_disk / finished(on_disk)[0] / damage
    file.write_bytes(file.read_bytes()[:-3])
    assert np.array_equal(cached_images(7, SHAPE, "a", lambda: BLOCKS).pixels[5], np.full(SHAPE, 5))


def test_a_cache_whose_images_were_changed_later_is_made_anew(on_disk: Path) -> None:
    """Its hashes of their content would be wrong."""
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    file = on_disk / finished(on_disk)[0] / "images.npy"
    damaged = bytearray(file.read_bytes())
    damaged[-30] ^= 255
    file.write_bytes(damaged)
    os.utime(file, ns=(1, 1))
    found = cached_images(7, SHAPE, "a", lambda: BLOCKS)
    assert np.array_equal(found.pixels[5], np.full(SHAPE, 5))
    assert np.array_equal(found.content, digests(found.pixels))


def test_of_two_at_once_one_builds(on_disk: Path) -> None:
    built = []

    def slow() -> Iterator[Any]:
        built.append(1)
        for part in BLOCKS:
            sleep(0.1)
            yield part

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: cached_images(7, SHAPE, "a", slow), range(2))
    assert len(built) == 1
    assert np.array_equal(first.pixels, second.pixels)


def test_a_full_disk_is_refused_before_and_during(monkeypatch: pytest.MonkeyPatch, on_disk: Path) -> None:
    def filling() -> Iterator[Any]:
        yield BLOCKS[0]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Refusal, match="needs 140 bytes and the disk has no room"):
        cached_images(7, SHAPE, "a", filling)
    assert finished(on_disk) == []
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(Refusal, match="needs 140 bytes and the disk has no room"):
        cached_images(7, SHAPE, "a", lambda: pytest.fail("began to decode"))


def test_a_cache_directory_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "file"))
    with pytest.raises(Refusal, match="cannot be written"):
        cached_images(7, SHAPE, "a", lambda: BLOCKS)


def test_the_directory_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_directory() == tmp_path / "cache"
    monkeypatch.delenv("ZEROSUM_CACHE")
    assert cache_directory().name == "zerosum"
    # The fixture replaced the module's name; this is the real one, imported before.
    assert 2**20 < memory_budget() < 2**50


def test_a_long_index_lies_in_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    index = np.arange(1000, dtype=np.uint32)
    assert spill_to_disk(index) is index
    monkeypatch.setattr(cache, "SMALL", 100)
    found = spill_to_disk(index)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, index)
    assert list(cache_directory().iterdir()) == []


def test_without_room_for_its_file_a_long_index_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "SMALL", 100)
    monkeypatch.setattr(cache.tempfile, "TemporaryFile", full)
    index = np.arange(1000)
    assert spill_to_disk(index) is index


# -- images that fit into memory ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def fitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images fit into memory, and any decoding counts as slow."""
    monkeypatch.setattr(cache, "memory_budget", lambda: 10**6)
    monkeypatch.setattr(cache, "SLOW", 0.0)
    return tmp_path / "cache" / "decoded"


def never() -> Any:
    pytest.fail("decoded twice")


def test_a_second_start_reads_what_the_first_one_decoded(fitting: Path) -> None:
    first = cached_images(7, SHAPE, "a", lambda: BLOCKS)
    assert not isinstance(first.pixels, np.memmap)
    second = cached_images(7, SHAPE, "a", never)
    assert isinstance(second.pixels, np.memmap)
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.keys, second.keys)
    assert np.array_equal(second.content, digests(second.pixels))
    assert first.reasons == second.reasons == {6: "cut short"}
    assert len(finished(fitting)) == 1


def test_what_is_decoded_quickly_is_not_stored(fitting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SLOW", 1e9)
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    assert not fitting.exists()


def test_all_of_it_takes_a_tenth_of_the_free_disk_and_the_oldest_goes_first(fitting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    one = sum(file.stat().st_size for file in (fitting / finished(fitting)[0]).iterdir())
    # What would be free without the caches stays the same: room for three of them.
    monkeypatch.setattr(cache, "_MARGIN", 0)
    monkeypatch.setattr(
        cache.shutil, "disk_usage", lambda root: SimpleNamespace(free=31 * one - sum(f.stat().st_size for f in fitting.rglob("*.*")))
    )
    for name in "bc":
        cached_images(7, SHAPE, name, lambda: BLOCKS)
    for age, folder in enumerate(sorted(fitting.glob("*/"), key=lambda p: p.stat().st_mtime)):
        os.utime(folder, (1e9 + age, 1e9 + age))
    cached_images(7, SHAPE, "a", never)  # Used now, so b is the oldest.
    cached_images(7, SHAPE, "d", lambda: BLOCKS)
    assert len(finished(fitting)) == 3
    for name in "acd":
        cached_images(7, SHAPE, name, never)
    with pytest.raises(pytest.fail.Exception):
        cached_images(7, SHAPE, "b", never)


def test_a_set_that_is_larger_than_the_share_is_not_stored_and_removes_nothing(fitting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached_images(7, SHAPE, "a", lambda: BLOCKS)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: SimpleNamespace(free=500))
    assert len(cached_images(7, SHAPE, "b", lambda: BLOCKS).pixels) == 7
    assert len(finished(fitting)) == 1


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fitting: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "file"))
    assert len(cached_images(7, SHAPE, "a", lambda: BLOCKS).pixels) == 7
