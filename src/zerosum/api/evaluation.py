"""Which samples are measured against which, and in what features: `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from zerosum.data.items import Progress
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.measure.evaluation import evaluate_images, evaluate_points, evaluate_sets
from zerosum.measure.features import Digits, Features, features
from zerosum.measure.score import Score
from zerosum.run.folder import Run, open_run

FeatureChoice = Literal["auto", "digits", "fresh"]
Set = str | Path | np.ndarray[Any, Any] | Tensor

MOST = 10_000
"""Fakes and reals measured unless told otherwise: what the literature's figures are quoted at."""

LARGEST = 1_000_000
"""Every sample is compared with every other: more would take days."""

_SURE = 0.9
"""How sure the digit classifier must be of the reals, on average, before its features are used unasked. Of MNIST it is .95 sure, of
mirrored digits .78, of small grey emojis .65."""

_RAREST = 0.02
"""The least share of each digit among its guesses: it is surer of noise than of digits, but finds one digit in all of it."""


def evaluate(
    target: Run | Set,
    against: Set | None = None,
    *,
    n: int | None = None,
    seed: int = 0,
    features: FeatureChoice = "auto",
    options: DataOptions | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Every measure that fits, with floor and interval; one that cannot be had honestly carries the sentence that says why.

    target: a run or its folder, measured against the held-out test part of its data; or, with `against`, any set of samples: a name, a
        path, an array or a tensor. Reals by a name that has a test part are that part; a known density is drawn from.
    n: how many of each side at most; default 10,000. seed: of the run's samples.
    features: "digits", those of the classifier in the package; "fresh", a discriminator's fitted for the purpose; "auto", the digits' where
        the classifier recognises the reals as digits. Points are measured as they are.
    options: how images at a path are read, on both sides. progress: called with (label, done, total) as data are read and measured.

    Raises Refusal where nothing can be measured.
    """
    if n is not None and not 2 <= n <= LARGEST:
        raise Refusal(f"Measuring needs at least 2 samples and takes at most {LARGEST:,}, not {n:,}.")
    if against is None:
        if not isinstance(target, (Run, str, Path)):
            raise Refusal("An array alone cannot be evaluated: say against which reals.")
        return _evaluate_run(target if isinstance(target, Run) else open_run(target), n or MOST, seed, features, progress)
    if isinstance(target, Run):
        target = target.sample(n or MOST, seed)
    fake, _ = _everything(open_data(target, options, progress), n or MOST)
    real, density = _everything(open_data(against, options, progress), n or MOST, held_out=isinstance(against, str))
    if density is not None:
        return evaluate_points(fake, real[: len(fake)], None, density, seed, progress=progress)
    return evaluate_sets(fake, real, features_for(features, real), seed, progress=progress)


def _evaluate_run(run: Run, n: int, seed: int, choice: FeatureChoice, progress: Progress | None) -> list[Score]:
    data = run.data()
    real = data.test.head(n)
    fake = raw(run.sample(n, seed), data.space)
    if data.density is not None:
        return evaluate_points(fake, real, None, data.density, seed, progress=progress)
    train = data.train.head(data.train.size or 0)
    if data.space.kind == "points":
        return evaluate_points(fake, real, train, None, seed, progress=progress)
    return evaluate_images(fake, real, train, features_for(choice, real), seed, progress=progress)


def raw(array: np.ndarray[Any, Any], space: Space) -> Tensor:
    """A run's samples as the measures take them: uint8 (N, C, H, W) or float32 (N, d)."""
    x = torch.from_numpy(array)
    if space.kind == "points":
        return x
    return x[:, None] if x.ndim == 3 else x.movedim(3, 1).contiguous()


def _everything(data: Data, n: int, held_out: bool = False) -> tuple[Tensor, Any]:
    """n items of a set, from its test part where that was given with the data by name, else from all of it; and its density, if known."""
    if data.density is not None:
        return data.test.head(n), data.density
    if held_out and not Path(data.spec).exists():
        return data.test.head(n), None
    parts = [part.head(part.size or 0) for part in (data.train, data.validation, data.test)]
    return torch.cat(parts)[:n], None


def features_for(choice: FeatureChoice, real: Tensor) -> Features | None:
    """The features to use for these reals; None for a fresh discriminator's (or for points, which are taken as they are)."""
    if choice == "digits":
        return features("digits")
    if choice == "fresh" or real.ndim != 4 or tuple(real.shape[1:]) != (1, 28, 28):
        return None
    known = features("digits")
    assert isinstance(known, Digits)
    return known if _recognised(known, real[:1000]) else None


def _recognised(known: Digits, real: Tensor) -> bool:
    p, guesses = known.logits(real).softmax(1).max(1)
    shares = torch.bincount(guesses, minlength=10) / len(real)
    return bool(p.mean() > _SURE) and bool((shares >= _RAREST).all())
