"""How fast three programs learn MNIST: zerosum, the published DCGAN and a tuned one. Frechet distance over seconds of training."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from zerosum.bench.clock import clock
from zerosum.bench.dcgan import PublishedDCGAN
from zerosum.bench.games import GAMES, ours
from zerosum.bench.tuned import TunedDCGAN
from zerosum.chance import generator
from zerosum.data.mnist import digits
from zerosum.data.source import open_data
from zerosum.measure.evaluation import evaluate_images
from zerosum.measure.features import features
from zerosum.play.device import bf16_unit
from zerosum.play.presets import PRESETS
from zerosum.training import launch

SCORED, REFERENCE_BATCH = 10_000, 64
LENGTHS = (1 / 60, 1 / 30, 1 / 20, 1 / 12)  # of the reference's time: one training of zerosum each, since its schedules know their end
MOMENTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)  # of the reference's time: when the references are scored
Curve = list[tuple[float, float]]  # seconds of training, Frechet distance


def frechet(fakes: Tensor) -> float:
    """Frechet distance of uint8 digits (N, 1, 28, 28) to the test digits, in the package's digit features."""
    reals = torch.from_numpy(np.array(digits("t10k")[0]))[:, None]
    (score,) = (s for s in evaluate_images(fakes, reals, None, features("digits"), 0, ("frechet",)) if s.name == "frechet")
    assert score.value is not None
    return score.value


def reference_curve(model: PublishedDCGAN | TunedDCGAN, seconds: float, seed: int, scored: int = SCORED) -> Curve:
    """A reference's distances at MOMENTS of its training, on digits padded to 32 x 32. The clock stands still while it is scored."""
    images = torch.from_numpy(np.array(digits("train")[0]))[:, None]
    x = pad(images.float() / 127.5 - 1, (2, 2, 2, 2), value=-1.0)
    draws, (_, now), spent = generator(seed, "bench"), clock(), 0.0
    curve: Curve = []
    for share in MOMENTS:
        while spent < share * seconds:
            start = now()
            model.step(x[torch.randint(len(x), (REFERENCE_BATCH,), generator=draws)])
            spent += now() - start
        fakes = model.sample(scored)[:, :, 2:-2, 2:-2].float()
        curve.append((spent, frechet(((fakes + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))))
    return curve


def zerosum_curve(seconds: float, threads: int, seed: int, scored: int = SCORED) -> Curve:
    """zerosum's distances after whole trainings of LENGTHS of the reference's time, each with the start of its run."""
    config = replace(PRESETS["digits"].config, threads=threads, seed=seed)
    algorithm, step = ours(GAMES["digits"], threads=threads)
    _, now = clock()
    speed = _samples_a_second(step, algorithm.samples_a_step, now)
    curve: Curve = []
    for share in LENGTHS:
        with tempfile.TemporaryDirectory() as folder:
            start = now()
            run = launch.train(open_data("mnist"), Path(folder) / "run", config, samples=max(64, round(share * seconds * speed)))
            spent = now() - start
            curve.append((spent, frechet(torch.from_numpy(np.array(run.sample(scored)))[:, None])))
    return curve


def _samples_a_second(step: Callable[[], object], samples: int, now: Callable[[], float], steps: int = 15) -> float:
    for _ in range(3):
        step()
    start = now()
    for _ in range(steps):
        step()
    return samples * steps / (now() - start)


def seconds_to(curve: Curve, aim: float, between: bool = False) -> float | None:
    """The first seconds at which a curve is at or below an aim; None where it never is.

    between: interpolate from the point before, in the logarithms of both. That favours the curve; without it, its next point counts.
    """
    for i, (seconds, distance) in enumerate(curve):
        if distance > aim:
            continue
        if i and between:
            before, worse = curve[i - 1]
            part = math.log(worse / aim) / math.log(worse / distance)
            return float(before * (seconds / before) ** part)
        return seconds
    return None


def mnist_time(minutes: float, threads: int, seeds: Sequence[int] = (0, 1, 2), scored: int = SCORED) -> dict[str, Any]:
    """A row: each program's curves, and the seconds that each needs for the published DCGAN's distance after `minutes` (> 0).

    A ratio is of seconds, the reference's over zerosum's, with the same seed; None where a program never reaches the distance. In favour
    of the references, their curves are interpolated, and zerosum's are not.
    """
    if threads:
        torch.set_num_threads(threads)
    low, curves = bool(bf16_unit()), dict[str, list[Curve]](zerosum=[], published=[], tuned=[])
    for seed in seeds:
        curves["published"].append(reference_curve(PublishedDCGAN(32, 1, seed=seed), 60 * minutes, seed, scored))
        curves["tuned"].append(reference_curve(TunedDCGAN(32, 1, seed=seed, low=low), 60 * minutes, seed, scored))
        curves["zerosum"].append(zerosum_curve(60 * minutes, threads, seed, scored))
    return row_of(curves, minutes)


def _listed(distances: Sequence[float]) -> str:
    return ", ".join(f"{distance:.1f}" for distance in distances)


def row_of(curves: dict[str, list[Curve]], minutes: float) -> dict[str, Any]:
    """The row of `zerosum bench mnist-time` for the three programs' curves, one a seed."""
    aims = [min(distance for _, distance in curve) for curve in curves["published"]]
    times = {
        who: [seconds_to(c, aim, between=who != "zerosum") for c, aim in zip(found, aims, strict=True)] for who, found in curves.items()
    }
    own = times["zerosum"]
    against = {
        who: None if None in own or None in times[who] else median(b / a for a, b in zip(own, times[who], strict=True) if a and b)
        for who in ("published", "tuned")
    }
    return {
        "name": "mnist-time",
        "what": f"seconds on MNIST to the published DCGAN's best Frechet distance in {minutes:g} minutes ({_listed(aims)})",
        "ours": None if None in own else median(s for s in own if s is not None),
        "reference": median(s for s in times["published"] if s is not None),
        "ratio": against["published"],
        "ratio_tuned": against["tuned"],
        "seconds": times,
        "curves": curves,
        "unit": "s",
        "turns": len(aims),
        "clock": clock()[0],
    }
