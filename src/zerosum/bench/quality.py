"""Seconds of training on MNIST until zerosum reaches the Frechet distance of the published DCGAN after some minutes."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from zerosum.bench.dcgan import PublishedDCGAN, train_for
from zerosum.chance import generator
from zerosum.data.mnist import digits
from zerosum.data.source import open_data
from zerosum.measure.evaluation import evaluate_images
from zerosum.measure.features import features
from zerosum.play.presets import PRESETS
from zerosum.training import launch

SCORED, REFERENCE_BATCH = 10_000, 64
SHARES = (1 / 60, 1 / 30, 1 / 20, 1 / 12, 1 / 6, 1 / 3, 1)  # of the reference's time: one training of zerosum each


def frechet(fakes: Tensor) -> float:
    """Frechet distance of uint8 digits (N, 1, 28, 28) to the test digits, in the package's digit features."""
    reals = torch.from_numpy(np.array(digits("t10k")[0]))[:, None]
    (score,) = (s for s in evaluate_images(fakes, reals, None, features("digits"), 0, ("frechet",)) if s.name == "frechet")
    assert score.value is not None
    return score.value


def published(minutes: float) -> float:
    """The distance that the published DCGAN reaches, on digits padded to 32 x 32."""
    images = torch.from_numpy(np.array(digits("train")[0]))[:, None]
    x = pad(images.float() / 127.5 - 1, (2, 2, 2, 2), value=-1.0)
    draws = generator(0, "bench")
    model = PublishedDCGAN(32, 1)
    train_for(60 * minutes, model, lambda t: x[torch.randint(len(x), (REFERENCE_BATCH,), generator=draws)])
    fakes = model.sample(SCORED)[:, :, 2:-2, 2:-2]
    return frechet(((fakes + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))


def mnist_time(minutes: float, threads: int) -> dict[str, Any]:
    """A row: seconds of the shortest training in SHARES that scores as well; `ours` is None where none does. minutes > 0."""
    config = replace(PRESETS["digits"].config, threads=threads)
    if threads:
        torch.set_num_threads(threads)
    aim, tried = published(minutes), {}
    taken: float | None = None
    for share in SHARES:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            run = launch.train(open_data("mnist"), Path(folder) / "run", config, minutes=minutes * share)
            seconds = time.perf_counter() - begun
            tried[f"{minutes * share:.3g} min"] = reached = frechet(torch.from_numpy(np.array(run.sample(SCORED)))[:, None])
        if reached <= aim:
            taken = seconds
            break
    return {
        "name": "mnist-time",
        "what": f"seconds on MNIST to a Frechet distance of {aim:.1f}, the published DCGAN's after {minutes:g} minutes",
        "ours": taken,
        "reference": 60 * minutes,
        "ratio": None if taken is None else 60 * minutes / taken,
        "unit": "s",
        "tried": tried,
        "turns": 1,
        "clock": "wall",
    }
