from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.errors import Refusal
from zerosum.report.grid import save_grid, tile


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def images(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape)) * 7919 % 256).astype(np.uint8).reshape(shape)


def tiles_of(sheet: np.ndarray, height: int, width: int) -> list[np.ndarray]:
    """The tiles cut out again: gutters of 2 pixels around each."""
    rows = range(2, sheet.shape[0] - 2, height + 2)
    return [sheet[y : y + height, x : x + width] for y in rows for x in range(2, sheet.shape[1] - 2, width + 2)]


@pytest.mark.parametrize("shape", [(5, 7, 3), (4, 9, 9, 1), (7, 8, 5, 3), (1, 3, 3, 3)])
def test_every_pixel_comes_back_magnified(shape: tuple[int, ...]) -> None:
    x = images(*shape)
    cut = tiles_of(opened(tile(x)), 8 * shape[1], 8 * shape[2])
    for one, seen in zip(x, cut, strict=False):
        np.testing.assert_array_equal(
            seen, np.squeeze(one, -1).repeat(8, 0).repeat(8, 1) if one.shape[-1:] == (1,) else one.repeat(8, 0).repeat(8, 1)
        )
    assert len(cut) >= len(x)


def test_columns_and_magnification() -> None:
    assert opened(tile(images(64, 28, 28))).shape == (8 * (28 * 4 + 2) + 2, 8 * (28 * 4 + 2) + 2)
    assert opened(tile(images(6, 28, 28), columns=3)).shape == (2 * (28 * 8 + 2) + 2, 3 * (28 * 8 + 2) + 2)
    assert opened(tile(images(2, 40, 2000))).shape == (2 + 42, 2 * 2002 + 2)


def test_transparent_shows_a_checkerboard_and_opaque_shows_itself() -> None:
    x = np.full((1, 8, 8, 4), 200, dtype=np.uint8)
    x[..., 3] = 0
    (clear,) = tiles_of(opened(tile(x)), 64, 64)
    assert {tuple(c) for c in clear.reshape(-1, 3)} == {(216,) * 3, (244,) * 3}
    x[..., 3] = 255
    (solid,) = tiles_of(opened(tile(x)), 64, 64)
    assert (solid == 200).all()
    (half,) = tiles_of(opened(tile(np.stack([np.full((1, 8, 8), 100), np.full((1, 8, 8), 51)], -1).astype(np.uint8))), 64, 64)
    assert {int(v) for v in half.flat} == {round(0.2 * 100 + 0.8 * 216), round(0.2 * 100 + 0.8 * 244)}


@pytest.mark.parametrize(
    "array", [np.zeros((0, 4, 4), np.uint8), np.zeros((3, 4, 4)), np.zeros((3, 4, 4, 5), np.uint8), np.zeros((3, 2), int), np.zeros(3)]
)
def test_what_is_neither_images_nor_points_is_refused(array: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        save_grid(array, tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_a_grid_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    a, b = (save_grid(images(9, 6, 6), tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert a == b
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("d", [1, 2, 3, 7])
def test_points_of_any_dimension_make_a_picture(d: int, tmp_path: Path) -> None:
    points = np.sin(np.arange(60.0 * d)).reshape(60, d).astype(np.float32)
    with Image.open(save_grid(points, tmp_path / "x.png", real=points + 0.1)) as picture:
        assert min(picture.size) > 200


def test_rows_are_named_to_their_left(tmp_path: Path) -> None:
    images = np.zeros((6, 8, 8), np.uint8)
    plain, named = (
        save_grid(images, tmp_path / f"{n}.png", columns=2, names=names) for n, names in enumerate(((), ("cat", "dog", "z" * 99)))
    )
    with Image.open(plain) as a, Image.open(named) as b:
        margin = b.width - a.width
        assert (margin > 0, a.height) == (True, b.height)
        assert margin < 400  # A long name is cut.
        rows = np.asarray(b.convert("L"))[:, :margin]
        assert all((part == 255).any() for part in np.array_split(rows, 3))
        np.testing.assert_array_equal(np.asarray(b.convert("L"))[:, margin:], np.asarray(a.convert("L")))
