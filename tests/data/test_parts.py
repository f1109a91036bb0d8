from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data import cache
from zerosum.data.density import DENSITIES
from zerosum.data.parts import Draws, Rows


def numbered(n: int) -> np.ndarray:
    """n images 1 x 2 x 3 whose pixels say which they are; no image is its own mirror."""
    images = np.zeros((n, 1, 2, 3), np.uint8)
    images[..., 0] = np.arange(n)[:, None, None]
    images[..., 2] = 200
    return images


def test_an_epoch_shows_the_part_and_nothing_else() -> None:
    rows = np.array([3, 5, 8, 13, 21, 34])
    part = Rows(numbered(40), rows)
    seen = torch.cat([part.batch(4, 0, counter).x[:, 0, 0, 0] for counter in range(3)])
    assert sorted(seen.tolist()) == sorted([*rows.tolist(), *rows.tolist()])


def test_a_batch_is_a_function_of_seed_and_counter() -> None:
    part, again = Rows(numbered(40), flip=True), Rows(numbered(40), flip=True)
    later = [part.batch(16, 5, counter).x for counter in (9, 2)]
    assert torch.equal(again.batch(16, 5, 2).x, later[1])
    assert torch.equal(again.batch(16, 5, 9).x, later[0])
    assert not torch.equal(again.batch(16, 6, 9).x, later[0])


def test_a_batch_may_be_written_to() -> None:
    array = numbered(40)
    Rows(array).batch(16, 0, 0).x.zero_()
    assert np.array_equal(array, numbered(40))


def test_flip_mirrors_half_of_a_batch_and_never_the_head() -> None:
    array = numbered(100)
    part = Rows(array, flip=True)
    plain = Rows(array)
    mirrored = 0
    for counter in range(20):
        seen, meant = part.batch(50, 0, counter).x, plain.batch(50, 0, counter).x
        turned = seen[:, 0, 0, 0] == 200
        assert torch.equal(torch.where(turned[:, None, None, None], seen.flip(3), seen), meant)
        mirrored += int(turned.sum())
    # 1000 fair coins: 4 standard deviations are 63.
    assert abs(mirrored - 500) < 63
    assert torch.equal(part.head(30), plain.head(30))


def test_the_head_is_distinct_fixed_and_nested() -> None:
    part = Rows(numbered(100), np.arange(10, 60), labels=np.arange(100) % 7)
    head = part.head(20)
    ids = head[:, 0, 0, 0]
    assert len(ids.unique()) == 20
    assert torch.equal(part.head(5), head[:5])
    assert len(part.head(1000)) == part.size == 50
    labels = part.labels_head(20)
    assert labels is not None
    assert labels.tolist() == [i % 7 for i in ids.tolist()]
    assert Rows(numbered(9)).labels_head(3) is None


def test_the_head_is_not_the_files_order() -> None:
    ids = Rows(numbered(200)).head(200)[:, 0, 0, 0].tolist()
    assert ids != sorted(ids)


def test_a_memory_map_gives_the_same_batches(tmp_path) -> None:
    array = numbered(100)
    np.save(tmp_path / "x.npy", array)
    mapped = Rows(np.load(tmp_path / "x.npy", mmap_mode="r"), flip=True)
    assert torch.equal(mapped.batch(32, 1, 4).x, Rows(array, flip=True).batch(32, 1, 4).x)
    assert torch.equal(mapped.head(10), Rows(array).head(10))


def test_draws_are_endless_seeded_and_apart() -> None:
    density = DENSITIES["ring8"]()
    train, test = Draws(density, "data/train"), Draws(density, "data/test")
    assert train.size is None
    assert train.labels_head(4) is None
    assert train.batch(64, 0, 3).x.shape == (64, 2)
    assert torch.equal(train.batch(64, 0, 3).x, Draws(density, "data/train").batch(64, 0, 3).x)
    for other in (train.batch(64, 0, 4).x, train.batch(64, 1, 3).x, test.batch(64, 0, 3).x):
        assert not torch.equal(train.batch(64, 0, 3).x, other)


def test_a_shorter_head_of_draws_begins_a_longer_one() -> None:
    part = Draws(DENSITIES["gaussian"](), "data/test")
    long = part.head(9000)
    assert long.shape == (9000, 1)
    assert torch.equal(part.head(10), long[:10])
    assert len(long.unique()) > 8900


def test_a_part_holds_four_bytes_a_row_and_gives_rows_as_numpy_counts() -> None:
    rows = np.arange(0, 40, 3)
    part = Rows(numbered(40), rows)
    assert part._rows is not None
    assert part._rows.nbytes == 4 * len(rows)
    assert part.rows.dtype == np.int64
    np.testing.assert_array_equal(part.rows, rows)


def test_a_part_of_many_rows_is_the_same_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array, rows = numbered(200), np.arange(0, 200, 3)
    plain = Rows(array, rows)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "SMALL", 16)
    mapped = Rows(array, rows)
    assert torch.equal(mapped.batch(32, 1, 4).x, plain.batch(32, 1, 4).x)
    assert torch.equal(mapped.head(10), plain.head(10))
    assert np.array_equal(mapped.rows, rows)
