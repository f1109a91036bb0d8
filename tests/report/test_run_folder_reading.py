import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zerosum.errors import Refusal
from zerosum.plain_files import write_whole
from zerosum.report.folder import read_run

Make = Callable[..., Path]


def test_reads_rows_in_order(make_run: Make) -> None:
    run = read_run(make_run())
    assert len(run.of("signals")) == 40
    assert run.newest("stop") == run.rows[-1]
    assert run.newest("verdict") is None
    assert run.horizon() == 1280 * 40
    assert [row["file"] for row, _ in run.grids()] == [row["file"] for row in run.of("grid")]


def test_a_line_still_being_written_is_no_row_yet(make_run: Make) -> None:
    path = make_run()
    with (path / "record.jsonl").open("a") as record:
        record.write('{"type": "signals", "sam')
    run = read_run(path)
    assert run.rows[-1]["type"] == "stop"
    assert run.unreadable == 0


def test_a_broken_line_is_counted_and_left_out(make_run: Make) -> None:
    path = make_run()
    lines = (path / "record.jsonl").read_text().splitlines(keepends=True)
    (path / "record.jsonl").write_text("".join([*lines[:3], "garbage\n", "[1, 2]\n", *lines[3:]]))
    run = read_run(path)
    assert (len(run.rows), run.unreadable) == (len(lines), 2)


def test_a_horizon_measured_later_counts(make_run: Make) -> None:
    rows = [{"type": "start", "samples": 0, "horizon": None}]
    path = make_run(rows=rows)
    assert read_run(path).horizon() is None
    with (path / "record.jsonl").open("a") as record:
        record.write(json.dumps({"type": "horizon", "samples": 640, "horizon": 9000}) + "\n")
    assert read_run(path).horizon() == 9000


def test_a_picture_outside_of_the_run_is_no_part_of_it(make_run: Make, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"not yours")
    path = make_run(rows=[{"type": "grid", "samples": 1, "file": "../secret.png"}], pictures=False)
    assert read_run(path).grids() == []


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_what_is_no_run_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(Refusal, match=r"run\.json"):
        read_run(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "new" / "x", b"old")

    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "new" / "x", b"new")
    assert {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()} == {"x": b"old"}
