"""The inputs of a measure: generated samples, held-out and spare real ones, the training set; and checks that they can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.errors import Refusal

GENERATED, REAL = "generated samples", "real samples"  # as refusals call the two sets


@dataclass(frozen=True, eq=False)
class Modes:
    """Known modes of p_data. centres: (m, d). std: (m,), sigma an axis. weights: (m,), summing to 1. All float64."""

    centres: Tensor
    std: Tensor
    weights: Tensor


@dataclass(frozen=True, eq=False)
class SampleSet:
    """N samples in the three forms that measures use.

    rows: features (N, d), float32. samples: the samples themselves: float32 (N, d), or uint8 (N, C, H, W).
    classes: the classifier's guess for each, int64 (N,), or None.
    """

    rows: Tensor
    samples: Tensor
    classes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: Tensor) -> SampleSet:
        return SampleSet(self.rows[index], self.samples[index], None if self.classes is None else self.classes[index])

    def first(self, n: int, seed: int, purpose: str) -> SampleSet:
        """n of the samples, chosen by the seed and the purpose; all of them where there are no more."""
        return self if len(self) <= n else self.take(torch.randperm(len(self), generator=generator(seed, purpose))[:n])


@dataclass(frozen=True, eq=False)
class MeasureInputs:
    """The inputs of one evaluation.

    fake, real: what is compared. spare: real samples that take a perfect generator's place in the reference score, or None. train: the
    whole training set, for the search for copies, or None. modes: p_data's, where they are known. classes: names, or None. given: which of
    train, modes and classes are there; "images" where the samples are images.
    """

    fake: SampleSet
    real: SampleSet
    spare: SampleSet | None = None
    train: Tensor | None = None
    modes: Modes | None = None
    classes: tuple[str, ...] | None = None
    seed: int = 0
    given: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        given = {"train": self.train, "modes": self.modes, "classes": self.classes}
        images = {"images"} if self.real.samples.ndim == 4 else set()
        object.__setattr__(self, "given", frozenset(name for name, value in given.items() if value is not None) | images)

    def swapped(self, fake: SampleSet, real: SampleSet) -> MeasureInputs:
        """The same inputs with other sets to compare."""
        return replace(self, fake=fake, real=real, spare=None)


def check_rows(rows: Tensor, who: str, least: int = 2, spread: bool = True) -> None:
    """Raise Refusal unless distances between these rows are defined.

    That is: shape (N, d), at least `least` rows, finite values and, with `spread`, not all rows equal.
    """
    if rows.ndim != 2:
        raise Refusal(f"The {who} have shape {tuple(rows.shape)}, and a measure needs rows (N, d): flatten them or give features.")
    if len(rows) < least:
        raise Refusal(f"There are {len(rows)} {who}, too few for this measure: give at least {least}.")
    bad = int((~torch.isfinite(rows)).any(1).sum())
    if bad:
        raise Refusal(f"{bad} of the {len(rows)} {who} have NaN or infinite values: remove them, or check what generated them.")
    if spread and bool((rows == rows[0]).all()):
        raise Refusal(
            f"All {len(rows)} {who} are identical, so there is no spread to compare: the generator gives one sample, or a file repeats it."
        )


def check_pair(fake: Tensor, real: Tensor, least: int = 2, spread: bool = True) -> None:
    """Apply `check_rows` to both sets, and require the same number of columns. Raises Refusal."""
    check_rows(real, REAL, least, spread)
    check_rows(fake, GENERATED, least, spread)
    if fake.shape[1] != real.shape[1]:
        raise Refusal(
            f"One set has {fake.shape[1]} columns and the other {real.shape[1]}: convert both to the same size and features first."
        )


def squared_distances(x: Tensor, y: Tensor, chunk: int = 256) -> Iterator[tuple[slice, Tensor]]:
    """||x_i - y_j||^2 for `chunk` rows of x at a time: (rows of x, (chunk, M) float32). Memory is chunk x M, never N x M.

    Up to 16 columns by differences, exact; beyond by ||x||^2 + ||y||^2 - 2 x y about the mean of y, with a rounding error of
    about 1e-6 of the squared spread. The yielded tensor may be overwritten.
    """
    # About a point near both sets, or ||x||^2 - 2 x.y + ||y||^2 loses digits where samples are far from zero.
    origin = y.mean(0)
    x, y = (x - origin).float(), (y - origin).float()
    if x.shape[1] <= 16:
        for i in range(0, len(x), chunk):
            yield slice(i, i + chunk), torch.cdist(x[i : i + chunk], y, compute_mode="donot_use_mm_for_euclid_dist").square_()
        return
    xx, yy = x.square().sum(1), y.square().sum(1)
    for i in range(0, len(x), chunk):
        # Rounding can make a small squared distance negative; clamp it.
        part = torch.addmm(yy, x[i : i + chunk], y.T, alpha=-2)
        yield slice(i, i + chunk), part.add_(xx[i : i + chunk, None]).clamp_(min=0)
