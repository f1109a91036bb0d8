"""Malformed inputs by hypothesis, in every format that is read: what comes back is data or a sentence, never another exception."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from zerosum.chance import normal
from zerosum.data.detect import kind_of
from zerosum.data.image_file import UnreadableImage, decode_image, read_header, strict_pillow
from zerosum.data.options import DataOptions
from zerosum.data.source import open_data
from zerosum.errors import Refusal
from zerosum.play.config import Config, NetOptions, PriorOptions, from_json, to_json
from zerosum.report import folder as report_folder
from zerosum.report import page
from zerosum.runs import checkpoint
from zerosum.runs.run import open_run
from zerosum.training import launch

SMALL = Config(prior=PriorOptions(dim=2), net=NetOptions(width=8, depth=1), batch=16, threads=1, device="cpu")
PIXELS = (normal((20, 8, 8), 0, "pictures") * 40 + 128).clamp(0, 255).numpy().astype(np.uint8)


def picture(kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(PIXELS[0]).save(buffer, kind)
    return buffer.getvalue()


def saved(save: Callable[[Any, Any], None]) -> bytes:
    buffer = BytesIO()
    save(buffer, PIXELS)
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, image in enumerate(PIXELS):
            png = BytesIO()
            Image.fromarray(image).save(png, "PNG")
            archive.writestr(f"{i}.png", png.getvalue())
    return buffer.getvalue()


IDX = struct.pack(">HBB3I", 0, 8, 3, *PIXELS.shape) + PIXELS.tobytes()


def read_picture(path: Path) -> None:
    with strict_pillow():
        try:
            seen = read_header(BytesIO(path.read_bytes()))
            assert seen.height > 0
            assert decode_image(BytesIO(path.read_bytes()), (3, 8, 8), "crop").shape == (3, 8, 8)
        except UnreadableImage as error:
            raise Refusal(str(error)) from error


def read_data(path: Path) -> None:
    kind_of(str(path))
    data = open_data(str(path), DataOptions())
    assert len(data.train.batch(4, 0, 0).x) == 4


def read_config(path: Path) -> None:
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Refusal("not JSON") from error
    assert from_json(to_json(from_json(values))) == from_json(values)


def read_run(path: Path) -> None:
    run = open_run(path.parents[2] if path.parent.parent.name == "checkpoints" else path.parent)
    run.rows()
    run.sample(2)


# Format: the file's name in its folder, a whole one, and who reads it.
FORMATS: dict[str, tuple[str, bytes, Callable[[Path], None]]] = {
    **{kind: (f"a.{kind.lower()}", picture(kind), read_picture) for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")},
    "idx": ("train-images-idx3-ubyte", IDX, read_data),
    "idx, gzipped": ("train-images-idx3-ubyte.gz", gzip.compress(IDX, mtime=0), read_data),
    "npy": ("a.npy", saved(np.save), read_data),
    "npz": ("a.npz", saved(np.savez_compressed), read_data),
    "zip": ("a.zip", zipped(), read_data),
    "config": ("config.json", json.dumps(to_json(SMALL)).encode(), read_config),
}
RUN_FILES = ("run.json", "record.jsonl", "manifest.json", "weights.safetensors", "moments.safetensors")


def refusal_of(function: Callable[[Any], object], argument: Any) -> str | None:
    """The sentence with which a call is refused; None where it goes through."""
    try:
        function(argument)
    except Refusal as refusal:
        return str(refusal)
    return None


# An edit of a file: (where, of 2^16; how many bytes go; what comes in their place).
Edit = tuple[int, int, bytes]
INTERESTING = [
    b"",
    b"\0",
    b"\xff" * 4,
    b"\x80\0\0\0",
    b"9" * 30,
    b"-1",
    b"null",
    b"[" * 3000,
    b'"',
    b"NaN",
    b"1e999",
    b"{}",
    b"\x93NUMPY",
    b"PK\x03\x04",
]
EDITS = st.lists(
    st.tuples(
        st.integers(0, 2**16 - 1), st.sampled_from([0, 1, 1, 2, 4, 8, 64, 2**20]), st.sampled_from(INTERESTING) | st.binary(max_size=8)
    ),
    max_size=4,
)


def edited(whole: bytes, edits: list[Edit]) -> bytes:
    for place, gone, new in edits:
        at = place * len(whole) >> 16
        whole = whole[:at] + new + whole[at + gone :]
    return whole


def fuzz(examples: int, path: Path, whole: bytes, read: Callable[[Path], None], seal: Callable[[], None] = lambda: None) -> Counter[str]:
    """Reads `examples` malformed versions of a file; counts what was refused and what was read all the same."""
    outcomes: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(EDITS, st.booleans())
    def one(edits: list[Edit], random: bool) -> None:
        path.write_bytes(b"".join(new for _, _, new in edits) if random and len(edits) > 2 else edited(whole, edits))
        seal()
        outcomes["read" if refusal_of(read, path) is None else "refused"] += 1

    try:
        one()
    finally:
        path.write_bytes(whole)
    return outcomes


@pytest.mark.parametrize("name", FORMATS)
def test_malformed_data_and_configs(name: str, tally: Any, count: Any, tmp_path: Path) -> None:
    file, whole, read = FORMATS[name]
    path = tmp_path / file
    path.write_bytes(whole)
    read(path)
    outcomes = fuzz(count(100, 8), path, whole, read)
    assert outcomes["refused"] > 0
    tally.add(outcomes.total(), outcomes.total())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return launch.train(open_data("ring8"), tmp_path_factory.mktemp("malformed") / "run", SMALL, samples=32).path


@pytest.mark.parametrize("sealed", [False, True], ids=["as found", "sealed again"])
@pytest.mark.parametrize("file", RUN_FILES)
def test_malformed_runs(file: str, sealed: bool, tally: Any, count: Any, run: Path) -> None:
    """sealed again: by somebody who knows how, so that the hashes are right and the content alone is to be refused."""
    folder = sorted((run / "checkpoints").iterdir())[-1]
    path = next(p for p in (run / file, folder / file) if p.exists())
    manifest = (folder / "manifest.json").read_bytes()

    def seal() -> None:
        if not sealed or path.parent != folder:
            return
        try:
            meta = json.loads((folder / "manifest.json").read_bytes())
            if file != "manifest.json":
                meta["files"][file] = checkpoint._write(path, path.read_bytes())
            (folder / "manifest.json").write_text(json.dumps({**meta, "seal": checkpoint.seal(meta)}))
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # The manifest is past sealing.

    outcomes = fuzz(count(80, 6), path, path.read_bytes(), read_run, seal)
    (folder / "manifest.json").write_bytes(manifest)
    read_run(path)
    tally.add(outcomes.total(), outcomes.total())


NOT_SO = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2) | st.just({})


def test_values_of_other_types_in_a_config(tally: Any, count: Any) -> None:
    """Each option in turn gets values of every JSON type: it takes a value of its own type, and refuses others by its name."""
    options = [(part, name) for part, value in to_json(SMALL).items() for name in (value if isinstance(value, dict) else [None])]
    refused = 0

    @settings(max_examples=count(400, 100), deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(options), NOT_SO)
    def one(option: tuple[str, str | None], value: Any) -> None:
        nonlocal refused
        values = to_json(SMALL)
        part, name = option
        (values[part] if name else values)[name or part] = value
        sentence = refusal_of(from_json, values)
        if sentence is None:
            assert to_json(from_json(values)) == values
        else:
            refused += 1
            assert (name or part) in sentence.replace("-", "_")

    one()
    assert refused > 10
    tally.add(count(400, 100), count(400, 100))


def test_values_of_other_types_in_a_record(tally: Any, count: Any, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is sent a run gets a verdict and a page, whatever stands in its rows."""
    monkeypatch.setattr(page, "curves", lambda run: [])
    rows = [json.loads(line) for line in (run / "record.jsonl").read_text().splitlines()]
    check = next(row for row in rows if row["type"] == "check")
    rows += [{**check, "round": 10 * i, "samples": 160 * i, "average_coverage": 0.5} for i in range(1, 12)]
    (tmp_path / "run.json").write_bytes((run / "run.json").read_bytes())
    places = [(i, name) for i, row in enumerate(rows) for name in row]

    @settings(max_examples=count(300, 30), deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(places), NOT_SO | st.just(10**400) | st.just(-1e308)), min_size=1, max_size=6))
    def one(changes: list[tuple[tuple[int, str], Any]]) -> None:
        changed = [dict(row) for row in rows]
        for (i, name), value in changes:
            changed[i][name] = value
        (tmp_path / "record.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed))
        json.dumps(open_run(tmp_path).verdict().to_json(), allow_nan=False)
        seen = report_folder.read_run(tmp_path)
        assert page.render(seen, page.verdict_of(seen))

    one()
    tally.add(count(300, 30), count(300, 30))
