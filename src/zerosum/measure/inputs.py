"""What a measure is given: fakes, held-out reals, spare reals for the floor, and the training set; and the checks that they are fit to be
measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.errors import Refusal


@dataclass(frozen=True, eq=False)
class Modes:
    """Known modes of p_data. centres: (m, d). std: (m,), sigma an axis. weights: (m,), summing to 1. All float64."""

    centres: Tensor
    std: Tensor
    weights: Tensor


@dataclass(frozen=True, eq=False)
class Part:
    """N samples in the three ways that measures look at them.

    rows: features (N, d), float32. samples: the samples themselves: float32 (N, d), or uint8 (N, C, H, W).
    classes: the classifier's guess for each, int64 (N,), or None.
    """

    rows: Tensor
    samples: Tensor
    classes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: Tensor) -> Part:
        return Part(self.rows[index], self.samples[index], None if self.classes is None else self.classes[index])

    def first(self, n: int, seed: int, purpose: str) -> Part:
        """n of the samples (all, if there are no more), chosen by the seed."""
        return self if len(self) <= n else self.take(torch.randperm(len(self), generator=generator(seed, purpose))[:n])


@dataclass(frozen=True, eq=False)
class Sets:
    """One evaluation's material.

    fake, real: what is compared. spare: reals that stand for a perfect generator's samples when the floor is taken, or None. train: the
    whole training set's samples, for the search for copies, or None. modes: p_data's, where they are known. classes: names, or None.
    """

    fake: Part
    real: Part
    spare: Part | None = None
    train: Tensor | None = None
    modes: Modes | None = None
    classes: tuple[str, ...] | None = None
    seed: int = 0
    given: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        given = {"train": self.train, "modes": self.modes, "classes": self.classes}
        object.__setattr__(self, "given", frozenset(name for name, value in given.items() if value is not None))

    def swapped(self, fake: Part, real: Part) -> Sets:
        return replace(self, fake=fake, real=real, spare=None)


def check_rows(rows: Tensor, who: str, least: int = 2, spread: bool = True) -> None:
    """Refuses what no distance can be taken of: not (N, d), fewer than `least` rows, NaN or infinite values; with `spread`, every row the
    same."""
    if rows.ndim != 2:
        raise Refusal(f"The {who} have shape {tuple(rows.shape)}, and a measure wants rows (N, d): flatten them or give features.")
    if len(rows) < least:
        raise Refusal(f"There are {len(rows)} {who}, too few for this measure: give at least {least}.")
    bad = int((~torch.isfinite(rows)).any(1).sum())
    if bad:
        raise Refusal(f"{bad} of the {len(rows)} {who} have NaN or infinite values: remove them, or look at the generator that made them.")
    if spread and bool((rows == rows[0]).all()):
        raise Refusal(
            f"All {len(rows)} {who} are identical, with no spread to compare: the generator gives one sample, or a file repeats it."
        )


def check_pair(fake: Tensor, real: Tensor, least: int = 2, spread: bool = True) -> None:
    """`check_rows` for both sets, and the same number of columns."""
    check_rows(real, "reals", least, spread)
    check_rows(fake, "fakes", least, spread)
    if fake.shape[1] != real.shape[1]:
        raise Refusal(f"Fakes have {fake.shape[1]} columns and reals {real.shape[1]}: bring both to the same size and features first.")


def squared_distances(x: Tensor, y: Tensor, chunk: int = 256) -> Iterator[tuple[slice, Tensor]]:
    """||x_i - y_j||^2 for `chunk` rows of x at a time: (rows of x, (chunk, M) float32). Memory is chunk x M, never N x M.

    By differences up to 16 columns, exact; beyond them by ||x||^2 + ||y||^2 - 2 x y about the mean of y, which rounds to
    about 1e-6 of the squared spread. The yielded tensor may be overwritten.
    """
    origin = y.mean(0)
    x, y = (x - origin).float(), (y - origin).float()
    if x.shape[1] <= 16:
        for i in range(0, len(x), chunk):
            yield slice(i, i + chunk), torch.cdist(x[i : i + chunk], y, compute_mode="donot_use_mm_for_euclid_dist").square_()
        return
    xx, yy = x.square().sum(1), y.square().sum(1)
    for i in range(0, len(x), chunk):
        part = torch.addmm(yy, x[i : i + chunk], y.T, alpha=-2)
        yield slice(i, i + chunk), part.add_(xx[i : i + chunk, None]).clamp_(min=0)
