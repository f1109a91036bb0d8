"""The record's rows of type "check" as the verdict sees them: each number compared with its reference and with the check before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from sys import float_info
from typing import Any

Row = Mapping[str, Any]

# `compared_as` by `data`, for rows from before it was recorded. Images were compared as "pixels" until they were as "features".
_COMPARED_AS = {"points": "vectors", "images": "pixels"}
_OF_IMAGES = ("pixels", "features")


@dataclass(frozen=True)
class CheckView:
    """One check. A number that the row lacks is None. A number's "reference" is what real samples get in the generated ones' place.

    round, samples, seconds: where in the training. finite: whether the nets' outputs were. n: samples a side. images: whether the data are
    images (rows written before that was recorded: no). decay_left: how much of the decay of learning rates and penalty is still to come,
    from 1 to 0 (0 in rows written before that was recorded).

    distance: of the averaged G, from 0 (as real samples) to 1. Of images, noise_share: the share of real images that noise would have to
    replace to be as far from the data (measure/noise_share.py), at most 1. Of points, and of images in records without it, the mean of
    three parts: separable over log 2, 1 - ema_coverage, and ema_missing. real_distance: what real images score; of points 0. smoothed:
    the median of this check's distance and the two before, so that one odd check changes little.

    separable: nats by which a nearest-neighbour classifier separates the averaged G's samples from real ones, minus the reference.
    separated: nats by which the run's own D separates held-out real samples from G's. auc: chance that D scores a real one higher.
    logit_std: standard deviation of D's logits on both.
    overfit: chance above 1/2 that D scores a training sample higher than a held-out one; overfit_error: its standard error. r_t: mean sign
    of D on training samples (Karras et al. 2020). grad_g: norm of G's gradient.

    coverage, precision: of G, as shares of their references; ema_coverage. diversity: mean distance of generated samples over that of real
    ones. missing: total variation between G's and the data's shares of the cells, minus the reference; ema_missing. change: total
    variation between G's cells and those of the check before. ema_gap: between G's cells and those of its EMA.

    held_out, copies: memory_held_out and memory_copies (measure/memorisation.py). copies_of_real: memory_copies of real samples. modes:
    known modes reached, and how many there are.
    """

    round: int
    samples: int
    seconds: float
    finite: bool
    distance: float | None = None
    smoothed: float | None = None
    noise_share: float | None = None
    real_distance: float = 0.0
    auc: float | None = None
    logit_std: float | None = None
    separated: float | None = None
    separable: float | None = None
    coverage: float | None = None
    ema_coverage: float | None = None
    precision: float | None = None
    diversity: float | None = None
    missing: float | None = None
    ema_missing: float | None = None
    change: float | None = None
    ema_gap: float | None = None
    grad_g: float | None = None
    overfit: float | None = None
    overfit_error: float | None = None
    r_t: float | None = None
    held_out: float | None = None
    copies: float | None = None
    copies_of_real: float | None = None
    modes: tuple[int, int] | None = None
    decay_left: float = 0.0
    images: bool = False
    n: int | None = None


def check_views(rows: Sequence[Row]) -> list[CheckView]:
    """The checks among a record's rows, in order. A number that is null, missing or not finite is None."""
    found: list[CheckView] = []
    distances: list[float] = []
    before: Row | None = None
    for row in rows:
        if row.get("type") == "check":
            view = _view(row, before)
            if view.distance is not None:
                distances.append(view.distance)
                view = replace(view, smoothed=median(distances[-3:]))
            found.append(view)
            before = row
    return found


def number(row: Row, name: str) -> float | None:
    """A finite number of the row, else None."""
    value = row.get(name)
    # An integer in JSON may be too long to convert to a float, so compare instead of calling isfinite.
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= float_info.max else None


def _above(row: Row, name: str, reference: str) -> float | None:
    """The number minus its reference, at least 0. A reference below 0 is noise about 0, and is not added to the number."""
    value, base = number(row, name), number(row, reference)
    return None if value is None or base is None else max(0.0, value - max(0.0, base))


def _share(row: Row, name: str, reference: str) -> float | None:
    """The number over its reference, from 0 to 1."""
    value, base = number(row, name), number(row, reference)
    return None if value is None or not base else min(1.0, max(0.0, value / base))


def _relative(row: Row, name: str) -> float | None:
    """The number over what real samples score, where the row has that; else the number itself."""
    value, base = number(row, name), number(row, f"floor_{name}")
    return value if value is None or not base else value / base


def variation(one: Any, other: Any) -> float | None:
    """Total variation between two histograms given as counts, 0 to 1; None where either is no histogram or their lengths differ."""
    if not (isinstance(one, list) and isinstance(other, list) and len(one) == len(other) and sum(one) and sum(other)):
        return None
    return float(sum(abs(p / sum(one) - q / sum(other)) for p, q in zip(one, other, strict=True))) / 2


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _view(row: Row, before: Row | None) -> CheckView:
    # Without an EMA the numbers of G itself serve for both.
    ema = "average_" if number(row, "average_coverage") is not None else ""
    separable = _above(row, "fresh", "floor_fresh")
    ema_coverage = _share(row, f"{ema}coverage", "floor_coverage")
    ema_missing = _above(row, f"{ema}missing", "floor_missing")
    parts = [
        None if separable is None else min(1.0, separable / math.log(2)),
        None if ema_coverage is None else 1 - ema_coverage,
        None if ema_missing is None else min(1.0, ema_missing),
    ]
    share = number(row, "noise_share")
    entropy, gap, n = number(row, "cross_entropy_val"), number(row, "auc_gap"), number(row, "n")
    m = number(row, "n_train") or n
    seen, of = row.get("modes"), row.get("modes_of")
    return CheckView(
        round=int(number(row, "round") or 0),
        samples=int(number(row, "samples") or 0),
        seconds=number(row, "seconds") or 0.0,
        finite=row.get("finite", True) is True,
        distance=_mean(parts) if share is None else min(1.0, share),
        noise_share=share,
        real_distance=0.0 if share is None else number(row, "floor_noise_share") or 0.0,
        auc=number(row, "auc_val"),
        logit_std=number(row, "logit_std"),
        separated=None if entropy is None else max(0.0, math.log(2) - entropy),
        separable=separable,
        coverage=_share(row, "coverage", "floor_coverage"),
        ema_coverage=ema_coverage,
        precision=_share(row, "precision", "floor_precision"),
        diversity=number(row, "diversity"),
        missing=_above(row, "missing", "floor_missing"),
        ema_missing=ema_missing,
        change=None if before is None else variation(row.get("cells"), before.get("cells")),
        ema_gap=variation(row.get("cells"), row.get("average_cells")),
        grad_g=number(row, "grad_g"),
        overfit=None if gap is None else gap - 0.5,
        # Mann and Whitney 1947: variance (n + m + 1) / (12 n m) where both distributions are the same.
        overfit_error=None if not n or not m or min(n, m) < 1 else math.sqrt((n + m + 1) / (12 * n * m)),
        decay_left=number(row, "left") or 0.0,
        images=row.get("compared_as", _COMPARED_AS.get(str(row.get("data")))) in _OF_IMAGES,
        n=None if not n or n < 1 else int(n),
        r_t=number(row, "r_t"),
        held_out=_relative(row, "memory_held_out"),
        copies=number(row, "memory_copies"),
        copies_of_real=number(row, "floor_memory_copies"),
        modes=(seen, of) if isinstance(seen, int) and isinstance(of, int) else None,
    )
