from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data import detect
from zerosum.data.image_folder import read_headers, read_images
from zerosum.data.listing import class_of, is_image, list_images, more_images
from zerosum.data.options import DataOptions
from zerosum.data.stored_image import Entry, InFolder
from zerosum.errors import Refusal

OPTIONS = DataOptions()


def zipped(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def test_a_folder_is_read_whole_and_in_order(folder: Path) -> None:
    items = read_images(folder, OPTIONS)
    assert items.array.shape == (40, 3, 12, 12)
    assert items.sizes == {(12, 12): 40}
    for i in (0, 17, 39):
        assert np.array_equal(items.array[i], np.asarray(Image.open(folder / f"{i:02}.png")).transpose(2, 0, 1))


def test_a_zip_gives_what_its_folder_gives(folder: Path, tmp_path: Path) -> None:
    direct, packed = read_images(folder, OPTIONS), read_images(zipped(folder, tmp_path / "a.zip", "top/"), OPTIONS)
    assert np.array_equal(direct.array, packed.array)
    assert direct.keys is not None
    assert packed.keys is not None
    assert np.array_equal(direct.keys, packed.keys)


def test_the_richest_image_sets_the_channels(folder: Path, save: Any, tmp_path: Path) -> None:
    for i in range(16):
        save(f"../grey/{i}.png", "L", number=i)
    grey = tmp_path / "grey"
    assert read_images(grey, OPTIONS).array.shape[1] == 1
    save("../grey/la.png", "LA")
    assert read_images(grey, OPTIONS).array.shape[1] == 2
    save("../grey/rgb.png", "RGB")
    mixed = read_images(grey, OPTIONS).array
    assert mixed.shape[1] == 4
    assert np.array_equal(mixed[0, 0], mixed[0, 2])
    assert mixed[0, 3].min() == 255
    assert read_images(folder, OPTIONS).array.shape[1] == 3


def test_sizes_are_counted_and_brought_together(folder: Path, save: Any) -> None:
    save("wide.jpg", size=(300, 100))
    save("tall.webp", size=(20, 50))
    items = read_images(folder, OPTIONS)
    assert items.sizes == {(12, 12): 40, (100, 300): 1, (50, 20): 1}
    assert items.array.shape == (42, 3, 64, 64)
    assert read_images(folder, DataOptions(size="9x14")).array.shape == (42, 3, 9, 14)
    cropped, stretched = (read_images(folder, DataOptions(size="16", fit=fit)).array[-1] for fit in ("crop", "stretch"))
    assert not np.array_equal(cropped, stretched)


def test_classes_are_first_level_folders(save: Any, tmp_path: Path) -> None:
    for i in range(20):
        save(f"top/{('cat', 'dog')[i % 2]}/deep/{i:02}.png", number=i)
    items = read_images(tmp_path / "pictures", OPTIONS)
    assert items.classes == ("cat", "dog")
    assert items.labels is not None
    assert items.labels.tolist() == [0] * 10 + [1] * 10
    save("top/stray.png")
    assert read_images(tmp_path / "pictures", OPTIONS).classes == ()


def test_one_folder_is_no_class() -> None:
    assert class_of(["a/b/1.png", "a/b/2.png"]) is None
    assert class_of(["1.png"]) is None
    assert class_of([]) is None
    assert class_of(["r/b/1.png", "r/a/2.png"]) == (("a", "b"), [1, 0])
    assert class_of(["r/s/b/1.png", "r//s/./a/2.png", "./r/s/a/x/3.png"]) == (("a", "b"), [1, 0, 0])


def test_bad_images_among_good_ones_are_skipped_and_listed(folder: Path, save: Any) -> None:
    for i in range(40, 80):
        save(f"{i}.png", number=i)
    (folder / "05-empty.png").touch()
    whole = (folder / "10.png").read_bytes()
    (folder / "10-cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("no image")
    items = read_images(folder, OPTIONS)
    assert {s.name: s.reason for s in items.skipped}.keys() == {"05-empty.png", "10-cut.png"}
    assert {s.reason for s in items.skipped if s.name == "05-empty.png"} == {"zero bytes"}
    assert items.ignored == 1
    assert items.rows is not None
    assert len(items.rows) == 80
    shown = np.asarray(Image.open(folder / "11.png")).transpose(2, 0, 1)
    assert np.array_equal(items.array[items.rows[11]], shown)


def test_more_than_a_twentieth_bad_stops_with_the_list(folder: Path) -> None:
    for i in range(12):
        (folder / f"bad{i:02}.png").write_bytes(b"nonsense")
    with pytest.raises(Refusal, match=r"12 of 52 images .*bad00\.png: not an image.*bad09.*and 2 more") as refused:
        read_images(folder, OPTIONS)
    assert "bad10" not in str(refused.value)


def test_too_few_and_none_are_refused(save: Any, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(Refusal, match="contains no images"):
        read_images(tmp_path / "pictures", OPTIONS)
    (tmp_path / "pictures" / "readme.md").touch()
    with pytest.raises(Refusal, match="only 1 other file"):
        read_images(tmp_path / "pictures", OPTIONS)
    for i in range(15):
        save(f"{i}.png", number=i)
    with pytest.raises(Refusal, match=r"contains 15 usable images: give at least 16"):
        read_images(tmp_path / "pictures", OPTIONS)
    save("15.png", number=15)
    assert len(read_images(tmp_path / "pictures", OPTIONS).array) == 16


def test_members_that_leave_the_archive_are_never_read(folder: Path, tmp_path: Path) -> None:
    path = zipped(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("../evil.png", "/etc/evil.png"):
            archive.writestr(name, (folder / "00.png").read_bytes())
    items = read_images(path, OPTIONS)
    assert [s.reason for s in items.skipped] == ["its name leaves the archive's folder"] * 2
    assert len(items.array) == 40
    assert not (tmp_path.parent / "evil.png").exists()


def test_a_damaged_member_is_skipped_and_a_damaged_zip_refused(folder: Path, tmp_path: Path) -> None:
    path = zipped(folder, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        content[archive.getinfo("07.png").header_offset + 200] ^= 0xFF
    path.write_bytes(content)
    items = read_images(path, OPTIONS)
    assert [s.name for s in items.skipped] == ["07.png"]
    path.write_bytes(content[:500])
    with pytest.raises(Refusal, match="cannot be read as a zip"):
        read_images(path, OPTIONS)


def test_a_member_larger_than_the_cap_is_not_inflated(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(3_000_000))
    monkeypatch.setattr("zerosum.data.listing.MAX_BYTES", 2**21)
    listing = list_images(path)
    assert [(s.name, s.reason) for s in listing.skipped] == [("bomb.png", "3 MB is more than 2 MB")]
    assert len(listing.entries) == 40


def test_hidden_files_and_leftovers_are_no_images() -> None:
    assert all(map(is_image, ("a.png", "b/c.JPEG", "d.tif")))
    assert all(map(is_image, ("../a.png", "./a.png", "a..png", "b.c/d.gif")))
    assert not any(map(is_image, ("a.txt", "__MACOSX/a.png", "b/._a.png", ".thumbs/a.png", "b/.c/a.png", "png", ".png", "a.png/b")))


def test_images_are_counted_up_to_a_number(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "00.png").rename(folder / "sub" / "00.png")
    (folder / "notes.txt").touch()
    assert more_images(folder, 39)
    assert not more_images(folder, 40)
    (folder / "zz.png").mkdir()  # No file, so it does not count.
    assert not more_images(folder, 40)


def test_the_shape_of_a_large_folder_is_not_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert detect.kind_of(str(folder)) == ("images", (3, 12, 12))
    monkeypatch.setattr(detect, "_MOST_HEADERS", 39)
    monkeypatch.setattr(detect, "listing_of", lambda path: pytest.fail("listed whole"))
    assert detect.kind_of(str(folder)) == ("images", None)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_to_nothing_is_skipped(folder: Path) -> None:
    (folder / "zz.png").symlink_to(folder / "nowhere.png")
    items = read_images(folder, OPTIONS)
    assert [s.name for s in items.skipped] == ["zz.png"]


def test_progress_ends_at_the_total(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    read_images(folder, OPTIONS, lambda *row: told.append(row))
    assert told == [("looking at images", 40, 40), ("reading images", 40, 40)]


def test_a_survey_decodes_nothing(folder: Path) -> None:
    whole = (folder / "00.png").read_bytes()
    (folder / "00.png").write_bytes(whole[:60])
    looks, skipped = read_headers(list_images(folder))
    assert len(looks) == 40
    assert not skipped


def test_a_file_that_is_gone_when_it_is_expected_is_left_to_its_reader(tmp_path: Path) -> None:
    (tmp_path / "here.png").write_bytes(b"0" * 10)
    files = InFolder(str(tmp_path))
    open_before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    files.expect([Entry("gone.png", 10, ""), Entry("here.png", 10, "")] * 50)
    assert (len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0) == open_before
    with pytest.raises(FileNotFoundError):
        files(Entry("gone.png", 10, ""))
