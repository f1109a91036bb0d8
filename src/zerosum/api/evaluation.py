"""Which samples are measured against which, and in what features: `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from zerosum.api.scores import Scores
from zerosum.api.showing import Showing, counting
from zerosum.data.items import Progress
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.errors import Refusal
from zerosum.measure.evaluation import evaluate_images, evaluate_points, evaluate_sets
from zerosum.measure.features import Digits, Features, Inception, UnavailableFeatures, features
from zerosum.measure.score import Score
from zerosum.measure.weights import environment_file, find_local
from zerosum.records import is_run
from zerosum.runs.run import Run, open_run

FeatureChoice = Literal["auto", "digits", "inception", "fresh"]
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
    weights: str | Path | None = None,
    options: DataOptions | None = None,
    progress: Showing = None,
) -> Scores:
    """Compute every measure that fits, with its reference score and 95 % interval. The result is a list that prints as a table.

    A measure that cannot be computed here has a note that says why.

    target: a run or its folder, compared with the held-out test part of its data. With `against`, any set of samples: a name, a path, an
        array or a tensor.
    against: the real samples. Of named data with a test part, that part is used; a known density is sampled.
    n: most samples to compare on each side; default 10,000. seed: of the run's samples.
    features: in which images are compared. "digits": of the digit classifier in the package. "inception": of the Inception network of
        2015, in which Frechet distances are published; its weights are downloaded if needed. "fresh": of a classifier trained for this
        comparison. "auto": digits if the classifier recognises the real samples as digits, else inception if its weights are on this
        machine, else fresh. Points are compared as they are.
    weights: the file of the Inception network's weights; by default where `zerosum.measure.weights.obtain` looks.
    options: how images at a path are read, on both sides.
    progress: False for none, or a function that is called with (label, done, total) as data are read and measured.

    Raises Refusal where nothing can be measured.
    """
    if n is not None and not 2 <= n <= LARGEST:
        raise Refusal(f"Measuring needs at least 2 samples and takes at most {LARGEST:,}, not {n:,}.")
    tell = counting(progress)
    if isinstance(target, (str, Path)) and (against is None or is_run(Path(target))):
        target = open_run(target)
    ready = asked_for(features, weights, tell)  # Before data are read, which may take minutes.
    if against is None:
        if not isinstance(target, Run):
            raise Refusal("An array alone cannot be evaluated: give the real samples to compare it with as `against`.")
        from zerosum.api.by_class import class_scores  # It needs `recognised`, which is here.

        data = target.data()
        return Scores(_evaluate_run(target, n or MOST, seed, features, ready, tell), class_scores(target, data, data.test, seed))
    if isinstance(target, Run):
        target = target.sample(n or MOST, seed)
    fakes, reals = open_data(target, options, tell), open_data(against, options, tell)
    fake, _ = _everything(fakes, n or MOST)
    real, density = _everything(reals, n or MOST, held_out=isinstance(against, str))
    if density is not None:
        return Scores(evaluate_points(fake, real[: len(fake)], None, density, seed, progress=tell))
    chosen = features_for(features, real, ready, f"{_codec(fakes)}/{_codec(reals)}")
    return Scores(evaluate_sets(fake, real, chosen, seed, progress=tell))


def _evaluate_run(run: Run, n: int, seed: int, choice: FeatureChoice, ready: Inception | None, progress: Progress | None) -> list[Score]:
    data = run.data()
    real = data.test.head(n)
    fake = data.space.from_array(run.sample(n, seed))
    if data.density is not None:
        return evaluate_points(fake, real, None, data.density, seed, progress=progress)
    train = data.train.head(data.train.size or 0)
    default = data.space.modality.features
    if default is None:
        return evaluate_points(fake, real, train, None, seed, progress=progress)
    chosen = features_for(default if choice == "auto" else choice, real, ready, f"array/{_codec(data)}")
    return evaluate_images(fake, real, train, chosen, seed, progress=progress)


def _everything(data: Data, n: int, held_out: bool = False) -> tuple[Tensor, Any]:
    """n items of a set, from its test part where that was given with the data by name, else from all of it; and its density, if known."""
    if data.density is not None:
        return data.test.head(n), data.density
    if held_out and not Path(data.spec).exists():
        return data.test.head(n), None
    parts = [part.head(part.size or 0) for part in (data.train, data.validation, data.test)]
    return torch.cat(parts)[:n], None


def asked_for(choice: FeatureChoice, file: str | Path | None = None, progress: Progress | None = None) -> Inception | None:
    """The network of inception's features where they are asked for, by name or by a file of weights; else None.

    Raises Refusal where its weights cannot be had, and for a file beside features that have none.
    """
    if file is not None and choice not in ("auto", "inception"):
        raise Refusal(f"Weights in a file are for the features `inception`, not for `{choice}`: choose those, or leave the file out.")
    if choice != "inception" and file is None:
        return None
    found = features("inception", None if file is None else Path(file), progress)
    assert isinstance(found, Inception)
    return found


def features_for(choice: FeatureChoice, real: Tensor, ready: Inception | None = None, codecs: str = "array/array") -> Features | None:
    """The features to use for these reals; None for those of a new classifier (or for points, which are compared as they are).

    ready: from `asked_for`, and then used. codecs: of inception's label. Where nobody asked, nothing is downloaded; a file that the
    environment names and that cannot be read gives `UnavailableFeatures`.
    """
    if choice == "fresh" or real.ndim != 4:
        return None
    if ready is None and choice != "auto":
        return features(choice)
    if ready is None and (known := recognised(real)):
        return known
    try:
        found = ready or _found()
    except Refusal as refusal:
        return UnavailableFeatures("inception", str(refusal))
    if found is not None:
        found.codecs = codecs
    return found


def _found() -> Inception | None:
    """Inception features by the file that the environment names, else by one on the search paths; None where there is none."""
    if environment_file() is None:
        state = find_local()
        return None if state is None else Inception(state)
    return asked_for("inception")


def recognised(real: Tensor) -> Digits | None:
    """The digit classifier's features, where it recognises these reals as digits."""
    if tuple(real.shape[1:]) != (1, 28, 28):
        return None
    known = features("digits")
    assert isinstance(known, Digits)
    p, guesses = known.logits(real[:1000]).softmax(1).max(1)
    shares = torch.bincount(guesses, minlength=10) / len(guesses)
    return known if bool(p.mean() > _SURE) and bool((shares >= _RAREST).all()) else None


def _codec(data: Data) -> str:
    """In what its images were stored, by their headers: "png", "jpeg+png"; "array" where none were decoded."""
    return "+".join(sorted(name.lower() for name in data.formats)) or "array"
