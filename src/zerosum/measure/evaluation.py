"""Run every applicable measure on generated against real samples, each with interval and reference score.

A measure that is impossible on these data reports why, and the others are still run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.items import Progress
from zerosum.errors import Refusal
from zerosum.measure import MEASURES, Measure
from zerosum.measure.divergence import MIN_FOR_BOUND, jsd_bound
from zerosum.measure.features import Digits, Features, Inception, Raw, UnavailableFeatures
from zerosum.measure.inputs import GENERATED, REAL, MeasureInputs, Modes, SampleSet, check_rows
from zerosum.measure.reference_score import reference_scores
from zerosum.measure.score import Reading, Score


class DensityWithModes(Protocol):
    """What is read of a known p_data: its modes (m, d) or None, their sigma an axis (m,), their weights (m,)."""

    @property
    def modes(self) -> Tensor | None: ...

    @property
    def mode_std(self) -> Tensor | None: ...

    @property
    def mode_weights(self) -> Tensor | None: ...


def silent(label: str, done: int, total: int) -> None:
    """Report no progress."""


def evaluate(
    sets: MeasureInputs, features: str, split: str, only: Collection[str] | None = None, progress: Progress | None = None
) -> list[Score]:
    """Return a Score for each reading of each row of MEASURES whose needs `sets` meets (of those named in `only`), in that order.

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


def _measured(measure: Measure, sets: MeasureInputs, features: str, split: str) -> list[Score]:
    limit = measure.limit or max(len(sets.fake), len(sets.real))
    n, m = min(len(sets.fake), limit), min(len(sets.real), limit)
    blank = {score.name: score for score in _refused(measure, n, m, features, split, "")}
    try:
        readings = measure.function(sets)
    except Refusal as refusal:
        return [replace(score, note=str(refusal)) for score in blank.values()]
    references, how = reference_scores(measure, sets)
    scores = []
    for r in readings:
        if isinstance(r, Reading):
            note = "; ".join(part for part in (r.note, how) if part)
            mine, real = replace(blank[r.name], value=r.value, low=r.low, high=r.high, note=note), references.get(r.name)
            scores.append(mine if real is None else replace(mine, floor=real.value, floor_low=real.low, floor_high=real.high))
        else:
            scores.append(replace(blank[r.name], note=r.why))
    return scores


def _refused(measure: Measure, n: int, m: int, features: str, split: str, why: str) -> list[Score]:
    return [Score(name, None, None, None, None, n, m, split, features, named.better, why) for name, named in measure.scores.items()]


def evaluate_points(
    fake: Tensor,
    real: Tensor,
    train: Tensor | None,
    density: DensityWithModes | None = None,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Measure points fake (n, d) against held-out real (m, d); train (l, d) serves the reference score and the search for copies.

    A density that has modes adds the mode counts. Raises Refusal where nothing can be measured: shapes that differ, real points with NaN.
    """
    for x, who in ((fake, GENERATED), (real, REAL)):
        if x.ndim != 2 or x.shape[1] != real.shape[1]:
            raise Refusal(f"The {who} have shape {tuple(x.shape)}: give both sets as points (N, d) with the same d.")
    check_rows(real, REAL, spread=False)
    spare = None if train is None else _spare(train, len(fake), seed)
    sets = MeasureInputs(
        fake=SampleSet(fake.float(), fake.float()),
        real=SampleSet(real.float(), real.float()),
        spare=None if spare is None else SampleSet(spare.float(), spare.float()),
        train=None if train is None else train.float(),
        modes=_modes(density),
        seed=seed,
    )
    return evaluate(sets, "raw", "test", only, progress)


def _modes(density: DensityWithModes | None) -> Modes | None:
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
    """Measure uint8 images fake (n, C, H, W) against held-out real (m, C, H, W); train (l, C, H, W) serves the reference score and copies.

    features: None uses those of a new classifier, trained on part of both sets, for the rest of them (see `_evaluate_with_classifier`).
    Where features are unavailable, the measures that need them say so, and those on the images themselves are still run.
    Raises Refusal for other types or shapes.
    """
    for x, who in ((fake, GENERATED), (real, REAL), *(() if train is None else ((train, "training images"),))):
        if x.ndim != 4 or x.dtype != torch.uint8:
            raise Refusal(f"The {who} are {str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}: give uint8 images (N, C, H, W).")
        if x.shape[1:] != real.shape[1:]:
            raise Refusal(
                f"The {who} are {_size(x)} and the real samples {_size(real)}: convert all to one size and number of channels first."
            )
    if features is None or isinstance(features, Raw):
        return _evaluate_with_classifier(fake, real, train, seed, only, progress)
    if not _chosen(only, "features"):
        return _evaluate_samples(fake, real, train, seed, only, progress)
    given = [fake, real, *([] if train is None else [_spare(train, len(fake), seed)])]
    try:
        fakes, reals, *spares = _parts(given, features, progress or silent)
    except Refusal as refusal:
        refused = _without(fake, real, features.label, only, str(refusal))
        return [*refused, *_evaluate_samples(fake, real, train, seed, only, progress)]
    sets = MeasureInputs(fakes, reals, spares[0] if spares else None, train, classes=features.classes, seed=seed)
    return evaluate(sets, features.label, "test", only, progress)


def _chosen(only: Collection[str] | None, on: str) -> dict[str, Measure]:
    """The requested rows of MEASURES that compare features, or the samples."""
    return {name: measure for name, measure in MEASURES.items() if (only is None or name in only) and measure.on == on}


def _without(fake: Tensor, real: Tensor, label: str, only: Collection[str] | None, why: str) -> list[Score]:
    """Refused scores for the measures that would have used these features. Those of classes exist for digits alone, and are left out."""
    rows = [measure for measure in _chosen(only, "features").values() if not measure.needs]
    return [score for measure in rows for score in _refused(measure, len(fake), len(real), label, "test", why)]


def _evaluate_samples(
    fake: Tensor, real: Tensor, train: Tensor | None, seed: int, only: Collection[str] | None, progress: Progress | None
) -> list[Score]:
    """Measures on the images themselves. The inputs need rows of features as well, which these measures do not read: pixels serve."""
    spare = None if train is None else _pixels(_spare(train, len(fake), seed))
    sets = MeasureInputs(_pixels(fake), _pixels(real), spare, train, seed=seed)
    return evaluate(sets, "raw", "test", _chosen(only, "samples"), progress)


def _evaluate_with_classifier(
    fake: Tensor, real: Tensor, train: Tensor | None, seed: int, only: Collection[str] | None, progress: Progress | None
) -> list[Score]:
    """With a new classifier's features: measures on features use the samples that it was not trained on, measures on samples all."""
    on_samples = _evaluate_samples(fake, real, train, seed, only, progress)
    on_features = {name for name, measure in _chosen(only, "features").items() if not measure.needs}
    if not on_features:
        return on_samples
    if min(len(fake), len(real)) < MIN_FOR_BOUND:
        why = (
            f"These measures compare features of a new classifier, which needs at least {MIN_FOR_BOUND} generated and as many real "
            f"samples; there are {len(fake)} and {len(real)}: give more, or use the features of a published network with "
            "--features inception."
        )
        return [*_without(fake, real, "fresh", only, why), *on_samples]
    bound = jsd_bound(fake, real, seed)
    # The classifier's features would favour samples it was trained on, so only its held-out rows are compared.
    held = [SampleSet(bound.D.features(x), x) for x in (fake[bound.held_fake], real[bound.held_real])]
    spare = None if train is None else _spare(train, len(fake), seed)[: bound.pairs]
    sets = MeasureInputs(held[0], held[1], None if spare is None else SampleSet(bound.D.features(spare), spare), seed=seed)
    return [*evaluate(sets, f"fresh:{bound.D.hash[:12]}", "test", on_features, progress), *on_samples]


def evaluate_sets(
    fake: Tensor,
    real: Tensor,
    features: Features | None = None,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Measure any set against any set, made by any tool: points (N, d), or uint8 images (N, C, H, W).

    The reference score comes from two parts of the real samples. Raises Refusal for other types or shapes.
    """
    if fake.ndim != real.ndim:
        raise Refusal(
            f"One set has shape {tuple(fake.shape)} and the other {tuple(real.shape)}: give points (N, d) for both, or images for both."
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


def _pixels(images: Tensor) -> SampleSet:
    return SampleSet(images.flatten(1), images)


def _parts(given: list[Tensor], features: Digits | Inception | UnavailableFeatures, progress: Progress) -> list[SampleSet]:
    """Images with their features and classes; progress counts images. Memory: the features, and the work on one chunk."""
    label, total, done, parts = "Computing features", sum(map(len, given)), 0, []
    progress(label, 0, total)
    for images in given:
        rows, guesses = [], []
        for chunk in torch.split(images, features.chunk):
            row, guess = features.of(chunk)
            rows.append(row)
            guesses += [] if guess is None else [guess]
            done += len(chunk)
            progress(label, done, total)
        parts.append(SampleSet(torch.cat(rows), images, torch.cat(guesses) if guesses else None))
    return parts
