"""The record's rows as TensorBoard scalars and pictures, against samples seen. An extra, imported when a listener is made."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from zerosum.errors import Refusal
from zerosum.report.numbers import finite

_GROUPS = {"signals": "signals", "score": "scores"}
_BOOKKEEPING = {"type", "round", "samples", "seconds", "name", "n", "split", "features"}


class TensorBoard:
    """A listener and context manager that writes event files into RUN/tensorboard.

    A signals row becomes signals/loss_d and so on; a score scores/NAME, with /low, /high and /floor; a grid its picture.
    Raises Refusal when the tensorboard package is not installed.
    """

    def __init__(self, run: Path | str) -> None:
        try:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise Refusal('TensorBoard is an extra that is not installed; install it with: pip install "zerosum[tensorboard]".') from None
        self._run = Path(run)
        self._writer = EventFileWriter(str(self._run / "tensorboard"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left and close the file."""
        self._writer.close()

    def progress(self, samples: int, horizon: int | None, seconds: float) -> None:
        """Do nothing: TensorBoard shows the record."""

    def row(self, row: dict[str, Any]) -> None:
        """Write a row of the record (docs/run-folder.md). Values that are null or not finite are left out."""
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary

        step = int(row.get("samples") or 0)
        kind = row.get("type")
        if kind == "start":
            # A resumed run repeats the steps after its checkpoint: with this event TensorBoard drops the old points.
            self._event(step, session_log=SessionLog(status=SessionLog.START))
        elif kind == "grid":
            self._picture(step, self._run / str(row.get("file")))
        elif kind in _GROUPS:
            scalars = _scalars(row)
            self._event(step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]))

    def _picture(self, step: int, file: Path) -> None:
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        if not file.is_file():
            return
        with Image.open(file, formats=["PNG"]) as picture:
            width, height = picture.size
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=file.read_bytes())
        self._event(step, summary=Summary(value=[Summary.Value(tag="samples", image=image)]))

    def _event(self, step: int, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, **content))


def _scalars(row: dict[str, Any]) -> dict[str, float]:
    group = _GROUPS[str(row["type"])]
    values = {key: value for key, x in row.items() if key not in _BOOKKEEPING and (value := finite(x)) is not None}
    if group == "signals":
        return {f"signals/{key}": value for key, value in values.items()}
    name = f"scores/{row.get('name')}"
    return {name if key == "value" else f"{name}/{key}": value for key, value in values.items()}
