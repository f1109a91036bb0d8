"""The numbers that a step leaves behind, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from zerosum.game.losses import DiscriminatorLoss, GeneratorLoss
from zerosum.game.value import VALUES, Value, smoothed
from zerosum.play.statistics import STATISTICS, statistics


def accuracy(value: Value, a: Tensor, b: Tensor) -> float:
    zero = torch.zeros(())
    numbers = statistics(value, DiscriminatorLoss(zero, zero, a, b), GeneratorLoss(zero, b), zero, zero)
    return numbers[STATISTICS.index("accuracy")].item()


def best_logit(value: Value, p: float) -> float:
    """D's best logit, by search, where a sample is real with probability p."""
    x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    losses = p * value.d(x, torch.zeros_like(x)) + (1 - p) * value.d(torch.zeros_like(x), x)
    return x[losses.argmin()].item()


@pytest.mark.parametrize("s", [0.0, 0.2])
@pytest.mark.parametrize("name", [name for name, value in VALUES.items() if value.boundary is not None and not value.paired])
def test_the_boundary_is_between_the_best_logits_of_what_is_likelier_real_and_likelier_generated(name: str, s: float) -> None:
    if s and not VALUES[name].smoothable:
        return
    value = smoothed(VALUES[name], s)
    assert value.boundary is not None
    assert best_logit(value, 0.49) < value.boundary < best_logit(value, 0.51)


@pytest.mark.parametrize("name", VALUES)
def test_the_accuracy_counts_by_the_boundary_of_the_game(name: str) -> None:
    a, b = torch.tensor([0.9, 0.4, -0.1, 0.7]), torch.tensor([0.2, -0.3, 0.6, 0.1])
    expected = {"least_squares": (2 + 3) / 8, "relativistic": 3 / 4}
    if name == "wasserstein":
        assert math.isnan(accuracy(VALUES[name], a, b))
    else:
        assert accuracy(VALUES[name], a, b) == pytest.approx(expected.get(name, (3 + 1) / 8))


def test_the_level_of_the_logits_does_not_matter_to_a_paired_game() -> None:
    a, b = torch.tensor([0.9, 0.4]), torch.tensor([0.2, 0.6])
    assert accuracy(VALUES["relativistic"], a + 7, b + 7) == accuracy(VALUES["relativistic"], a, b) == 0.5
