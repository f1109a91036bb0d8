"""Every measure that fits, of fakes against reals, each with its floor and interval; a measure that is refused says why, and the others
go on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.items import Progress
from zerosum.errors import Refusal
from zerosum.measure import MEASURES, Measure
from zerosum.measure.divergence import jsd_bound
from zerosum.measure.features import Digits, Features, Inception, Missing, Raw
from zerosum.measure.inputs import Modes, Part, Sets, check_rows
from zerosum.measure.score import Reading, Score


class Density(Protocol):
    """What is read of a known p_data: its modes (m, d) or None, their sigma an axis (m,), their weights (m,)."""

    @property
    def modes(self) -> Tensor | None: ...

    @property
    def mode_std(self) -> Tensor | None: ...

    @property
    def mode_weights(self) -> Tensor | None: ...


@dataclass(frozen=True)
class _Floor:
    """Reals against reals. sets: what to measure. scale: (1/n + 1/m) of the evaluation over that of the floor's sizes. note: which
    reals."""

    sets: Sets
    scale: float
    note: str


def silent(label: str, done: int, total: int) -> None:
    """The progress of an evaluation that nobody follows."""


def evaluate(sets: Sets, features: str, split: str, only: Collection[str] | None = None, progress: Progress | None = None) -> list[Score]:
    """A Score for each reading of each row of MEASURES whose needs `sets` meets (of those named in `only`), in MEASURES' order.

    progress("Measuring", done, total) is called after each row.
    """
    tell = progress or silent
    fitting = [m for name, m in MEASURES.items() if (only is None or name in only) and sets.given.issuperset(m.needs)]
    scores: list[Score] = []
    for done, measure in enumerate(fitting):
        tell("Measuring", done, len(fitting))
        scores += _measured(measure, sets, features if measure.on == "features" else "raw", split)
    tell("Measuring", len(fitting), len(fitting))
    return scores


def _measured(measure: Measure, sets: Sets, features: str, split: str) -> list[Score]:
    limit = measure.limit or max(len(sets.fake), len(sets.real))
    n, m = min(len(sets.fake), limit), min(len(sets.real), limit)
    blank = {score.name: score for score in _refused(measure, n, m, features, split, "")}
    try:
        readings = measure.function(sets)
    except Refusal as refusal:
        return [replace(score, note=str(refusal)) for score in blank.values()]
    floors, how = _floors(measure, sets)
    scores = []
    for r in readings:
        if isinstance(r, Reading):
            note = "; ".join(part for part in (r.note, how) if part)
            scores.append(replace(blank[r.name], value=r.value, low=r.low, high=r.high, floor=floors.get(r.name), note=note))
        else:
            scores.append(replace(blank[r.name], note=r.why))
    return scores


def _refused(measure: Measure, n: int, m: int, features: str, split: str, why: str) -> list[Score]:
    return [Score(name, None, None, None, None, n, m, split, features, named.better, why) for name, named in measure.scores.items()]


def _floors(measure: Measure, sets: Sets) -> tuple[dict[str, float], str]:
    """Each reading's floor, and how it was had."""
    try:
        floor = (
            _train_floor(sets)
            if sets.train is not None and "train" in measure.needs
            else _spare_floor(sets)
            if sets.spare
            else _split_floor(sets)
        )
        readings = [r for r in measure.function(floor.sets) if isinstance(r, Reading)]
    except Refusal:
        return {}, "too few reals for a floor"
    return {r.name: r.value * (floor.scale if measure.shrinks else 1) for r in readings}, floor.note


def _spare_floor(sets: Sets) -> _Floor:
    """Spare reals, as many as there are fakes, in the fakes' place."""
    assert sets.spare is not None
    n, m = len(sets.fake), len(sets.real)
    stand_in = sets.spare.first(n, sets.seed, "floor")
    k = len(stand_in)
    note = f"floor: {k} other reals" if k == n else f"floor: {k} other reals, for {n} fakes"
    return _Floor(sets.swapped(stand_in, sets.real), (1 / n + 1 / m) / (1 / k + 1 / m), note)


def _train_floor(sets: Sets) -> _Floor:
    """Training samples in the fakes' place, taken out of the training set: what a fresh draw of the training law would get."""
    assert sets.train is not None
    total, limit = len(sets.train), MEASURES["memory"].limit or len(sets.train)
    k = min(len(sets.fake), total // 4, limit)
    order = torch.randperm(total, generator=generator(sets.seed, "floor: out of the training set"))
    taken = sets.train[order[:k]]
    swapped = sets.swapped(Part(taken.flatten(1), taken), sets.real)
    return _Floor(replace(swapped, train=sets.train[order[k:]]), 1.0, f"floor: {k} training samples against the other {total - k}")


def _split_floor(sets: Sets) -> _Floor:
    """The reals divided in two, in the proportion of fakes to reals, one part in the fakes' place.

    To the first order a plug-in distance between equal laws is proportional to 1/n + 1/m, which brings it back to the full sizes.
    """
    n, m = len(sets.fake), len(sets.real)
    k = round(m * n / (n + m))
    if k < 1 or k >= m:
        raise Refusal("There are too few reals to divide in two.")
    order = torch.randperm(m, generator=generator(sets.seed, "floor: halves"))
    halves = sets.swapped(sets.real.take(order[:k]), sets.real.take(order[k:]))
    return _Floor(halves, (1 / n + 1 / m) / (1 / k + 1 / (m - k)), f"floor: {k} of the reals against the other {m - k}")


def evaluate_points(
    fake: Tensor,
    real: Tensor,
    train: Tensor | None,
    density: Density | None = None,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Points fake (n, d) against held-out reals (m, d), with the training points (l, d) for the floor and the search for copies.

    With a density that has modes they are counted. Raises Refusal where nothing can be measured: shapes that differ, reals with NaN.
    """
    for x, who in ((fake, "fakes"), (real, "reals")):
        if x.ndim != 2 or x.shape[1] != real.shape[1]:
            raise Refusal(f"The {who} have shape {tuple(x.shape)}: give fakes and reals as points (N, d) with the same d.")
    check_rows(real, "reals", spread=False)
    spare = None if train is None else _spare(train, len(fake), seed)
    sets = Sets(
        fake=Part(fake.float(), fake.float()),
        real=Part(real.float(), real.float()),
        spare=None if spare is None else Part(spare.float(), spare.float()),
        train=None if train is None else train.float(),
        modes=_modes(density),
        seed=seed,
    )
    return evaluate(sets, "raw", "test", only, progress)


def _modes(density: Density | None) -> Modes | None:
    if density is None or density.modes is None or density.mode_std is None or density.mode_weights is None:
        return None
    return Modes(density.modes, density.mode_std, density.mode_weights)


def evaluate_images(
    fake: Tensor,
    real: Tensor,
    train: Tensor | None,
    features: Features | None,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """uint8 images fake (n, C, H, W) against held-out reals (m, C, H, W), with the training images (l, C, H, W) for the floor and copies.

    features: None takes a fresh D's, fitted on part of the fakes and reals, for the rest of them (see `_evaluate_fresh`). Where features
    refuse, so do the measures that look at them, with their sentence; what looks at the images themselves goes on.
    """
    for x, who in ((fake, "fakes"), (real, "reals"), *(() if train is None else ((train, "training images"),))):
        if x.ndim != 4 or x.dtype != torch.uint8:
            raise Refusal(f"The {who} are {str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}: give uint8 images (N, C, H, W).")
        if x.shape[1:] != real.shape[1:]:
            raise Refusal(f"The {who} are {_size(x)} and the reals {_size(real)}: bring all to one size and number of channels first.")
    if features is None or isinstance(features, Raw):
        return _evaluate_fresh(fake, real, train, seed, only, progress)
    if not _chosen(only, "features"):
        return _evaluate_samples(fake, real, train, seed, only, progress)
    given = [fake, real, *([] if train is None else [_spare(train, len(fake), seed)])]
    try:
        fakes, reals, *spares = _parts(given, features, progress or silent)
    except Refusal as refusal:
        refused = _without(fake, real, features.label, only, str(refusal))
        return [*refused, *_evaluate_samples(fake, real, train, seed, only, progress)]
    sets = Sets(fakes, reals, spares[0] if spares else None, train, classes=features.classes, seed=seed)
    return evaluate(sets, features.label, "test", only, progress)


def _chosen(only: Collection[str] | None, on: str) -> dict[str, Measure]:
    """The rows of MEASURES that are asked for and look at features, or at the samples."""
    return {name: measure for name, measure in MEASURES.items() if (only is None or name in only) and measure.on == on}


def _without(fake: Tensor, real: Tensor, label: str, only: Collection[str] | None, why: str) -> list[Score]:
    """What features of this label would have been looked at by, refused. Classes are the digits' own, and are not missed elsewhere."""
    rows = [measure for measure in _chosen(only, "features").values() if not measure.needs]
    return [score for measure in rows for score in _refused(measure, len(fake), len(real), label, "test", why)]


def _evaluate_samples(
    fake: Tensor, real: Tensor, train: Tensor | None, seed: int, only: Collection[str] | None, progress: Progress | None
) -> list[Score]:
    """What looks at the images themselves; where rows of features are wanted, pixels stand in for them and are not looked at."""
    spare = None if train is None else _pixels(_spare(train, len(fake), seed))
    sets = Sets(_pixels(fake), _pixels(real), spare, train, seed=seed)
    return evaluate(sets, "raw", "test", _chosen(only, "samples"), progress)


def _evaluate_fresh(
    fake: Tensor, real: Tensor, train: Tensor | None, seed: int, only: Collection[str] | None, progress: Progress | None
) -> list[Score]:
    """With a fresh D's features: what looks at features uses the samples that D was not fitted on; what looks at samples uses all."""
    on_samples = _evaluate_samples(fake, real, train, seed, only, progress)
    on_features = {name for name, measure in _chosen(only, "features").items() if not measure.needs}
    if not on_features:
        return on_samples
    try:
        bound = jsd_bound(fake, real, seed)
    except Refusal as refusal:
        return [*_without(fake, real, "fresh D", only, str(refusal)), *on_samples]
    held = [Part(bound.D.features(x), x) for x in (fake[bound.held_fake], real[bound.held_real])]
    spare = None if train is None else _spare(train, len(fake), seed)[: bound.pairs]
    sets = Sets(held[0], held[1], None if spare is None else Part(bound.D.features(spare), spare), seed=seed)
    return [*evaluate(sets, f"fresh D:{bound.D.hash[:12]}", "test", on_features, progress), *on_samples]


def evaluate_sets(
    fake: Tensor,
    real: Tensor,
    features: Features | None = None,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Any set against any set, made by any tool: points (N, d), or uint8 images (N, C, H, W). The floor is taken from two parts of the
    reals."""
    if fake.ndim != real.ndim:
        raise Refusal(
            f"Fakes have shape {tuple(fake.shape)} and reals {tuple(real.shape)}: give points (N, d) for both, or images for both."
        )
    if real.ndim == 2:
        scores = evaluate_points(fake, real, None, None, seed, only, progress)
    else:
        scores = evaluate_images(fake, real, None, features, seed, only, progress)
    return [replace(score, split="given") for score in scores]


def _size(x: Tensor) -> str:
    return f"{x.shape[2]} x {x.shape[3]} with {x.shape[1]} channel{'s' if x.shape[1] > 1 else ''}"


def _spare(train: Tensor, n: int, seed: int) -> Tensor:
    return train[torch.randperm(len(train), generator=generator(seed, "floor: spare reals"))[:n]]


def _pixels(images: Tensor) -> Part:
    return Part(images.flatten(1), images)


def _parts(given: list[Tensor], features: Digits | Inception | Missing, progress: Progress) -> list[Part]:
    """Images with their features and classes; progress counts images. Memory: the features, and one chunk's work."""
    label, total, done, parts = "Taking features", sum(map(len, given)), 0, []
    progress(label, 0, total)
    for images in given:
        rows, guesses = [], []
        for chunk in torch.split(images, features.chunk):
            row, guess = features.of(chunk)
            rows.append(row)
            guesses += [] if guess is None else [guess]
            done += len(chunk)
            progress(label, done, total)
        parts.append(Part(torch.cat(rows), images, torch.cat(guesses) if guesses else None))
    return parts
