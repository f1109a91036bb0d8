"""p_g by change of variables: closed forms, folds, atoms, and mass 1 for every kind of network."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from zerosum.chance import generator, normal
from zerosum.data.density import bimodal, gaussian, mixture, uniform
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.theory.optimum import jsd, line_jsd
from zerosum.theory.pair import line
from zerosum.theory.pushforward import PriorName, Pushforward, pushforward


def network(activation: Callable[[], nn.Module], scale: float, seed: int) -> nn.Sequential:
    """A perceptron with seeded weights; the larger the scale, the wilder its graph."""
    G = nn.Sequential(nn.Linear(1, 32), activation(), nn.Linear(32, 32), activation(), nn.Linear(32, 1))
    with torch.no_grad():
        for i, p in enumerate(G.parameters()):
            p.copy_(normal(p.shape, seed, "pushforward-test", i) * (scale / p.shape[-1] ** 0.5 if p.ndim == 2 else 0.5))
    return G


def total(p: Pushforward) -> float:
    """The integral of p_g over x by the trapezoid rule inside each piece's range, plus its atoms: not the masses it was made of."""
    ends = p.knots()
    inside = torch.linspace(1e-6, 1 - 1e-6, 5, dtype=torch.float64)
    x = ends[:-1, None] + ends.diff()[:, None] * inside
    return float(torch.trapezoid(p.density(x.flatten()).reshape(x.shape), x).sum()) + p.singular


@pytest.mark.parametrize("law", ["normal", "uniform"])
@pytest.mark.parametrize("activation", [nn.ReLU, lambda: nn.LeakyReLU(0.2), nn.Tanh, nn.PReLU])
@pytest.mark.parametrize("scale", [0.3, 2.0, 8.0])
def test_p_g_integrates_to_one_for_any_perceptron(law: PriorName, activation: Callable[[], nn.Module], scale: float) -> None:
    p = pushforward(network(activation, scale, 1), law, pieces=1024, tolerance=1e-6)
    assert total(p) == pytest.approx(1, abs=1e-3)
    assert float(line(uniform(), p).Q.sum()) == pytest.approx(1, abs=1e-6)


def test_a_linear_g_gives_a_gaussian() -> None:
    p = pushforward(lambda z: 2 * z - 1)
    x = torch.linspace(-7, 5, 100, dtype=torch.float64)
    assert_close(p.density(x), mixture([1.0], [-1.0], [2.0]).log_prob(x).exp(), rtol=1e-9, atol=1e-12)
    assert line_jsd(mixture([1.0], [-1.0], [2.0]), p)[0] == pytest.approx(0, abs=1e-9)


def test_a_monotone_smooth_g_gives_a_lognormal() -> None:
    p = pushforward(torch.exp)
    x = torch.linspace(0.05, 10, 200, dtype=torch.float64)
    lognormal = torch.exp(-(x.log() ** 2) / 2) / (x * math.sqrt(2 * math.pi))
    # Piecewise linear: p_g is a staircase within 1e-3 of the truth, with the right mass on every step.
    assert_close(p.density(x), lognormal, rtol=2e-3, atol=1e-6)


def test_a_fold_adds_both_branches() -> None:
    # G(z) = z^2: chi-squared with one degree of freedom.
    p = pushforward(lambda z: z**2)
    x = torch.linspace(0.05, 6, 100, dtype=torch.float64)
    assert_close(p.density(x), torch.exp(-x / 2) / (2 * math.pi * x).sqrt(), rtol=2e-3, atol=1e-6)
    assert bool((p.density(torch.tensor([-0.1, -3.0])) == 0).all())
    # |z| of a uniform prior is U(0, 1), though two branches share it.
    folded = pushforward(torch.abs, "uniform")
    assert_close(folded.density(torch.tensor([0.1, 0.5, 0.9])), torch.ones(3, dtype=torch.float64), rtol=1e-9, atol=0)


def test_a_kink_between_grid_points_is_found() -> None:
    # max(z, 3 z + .1) has its kink at -.05, on no grid point.
    p = pushforward(lambda z: torch.maximum(z, 3 * z + 0.1), "uniform", pieces=64)
    x = torch.tensor([-0.5, -0.0501, -0.0499, 1.0], dtype=torch.float64)
    assert_close(p.density(x), torch.tensor([1 / 2, 1 / 2, 1 / 6, 1 / 6], dtype=torch.float64), rtol=1e-9, atol=0)


def test_a_flat_piece_is_reported_as_an_atom() -> None:
    p = pushforward(lambda z: torch.relu(z) + 3)
    place, mass = p.atoms
    assert_close(place, torch.tensor([3.0], dtype=torch.float64), rtol=0, atol=1e-6)
    assert_close(mass, torch.tensor([0.5], dtype=torch.float64), rtol=0, atol=1e-5)
    sentence = p.describe()
    assert sentence is not None
    assert "50.00% at x = 3" in sentence
    assert total(p) == pytest.approx(1, abs=1e-5)
    pair = line(gaussian(), p)
    assert float(pair.Q.sum()) == pytest.approx(1, abs=1e-6)
    # D tells an atom from a density with certainty.
    assert float(pair.d_star[-1]) == 0


def test_a_constant_g_is_one_atom_as_far_from_p_data_as_can_be() -> None:
    for constant in (0.0, -5.0):
        p = pushforward(lambda z, c=constant: 0 * z + c)  # type: ignore[misc]
        assert p.singular == pytest.approx(1, abs=1e-12)
        assert len(p.atoms[0]) == 1
        assert jsd(line(gaussian(), p)) == pytest.approx(math.log(2), abs=1e-9)


def test_two_flat_ends_are_two_atoms_and_one_level_is_one() -> None:
    p = pushforward(lambda z: z.clamp(-1, 1))
    place, mass = p.atoms
    tail = 0.5 * math.erfc(1 / math.sqrt(2))
    assert_close(place, torch.tensor([-1.0, 1.0], dtype=torch.float64), rtol=0, atol=1e-6)
    assert_close(mass, torch.tensor([tail, tail], dtype=torch.float64), rtol=0, atol=1e-5)
    assert len(pushforward(lambda z: (z.abs() - 1).clamp(max=0)).atoms[0]) == 1


def test_a_law_without_atoms_says_nothing() -> None:
    assert pushforward(network(lambda: nn.LeakyReLU(0.2), 1.0, 2)).describe() is None


@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_p_g_is_the_law_of_g_of_the_prior(law: PriorName) -> None:
    """Kolmogorov and Smirnov's distance of 20,000 draws of G(z), z from game/prior.py, from p_g's masses."""
    G = network(nn.Tanh, 2.0, 3)
    n = 20_000
    with torch.no_grad():
        x = G(PRIORS[law]((n, 1), 0, "pushforward-test", 0)).double().flatten()
    p = pushforward(G, law)
    middle, order = ((p.x[1:] + p.x[:-1]) / 2).sort()
    at = torch.linspace(float(x.min()), float(x.max()), 200, dtype=torch.float64)
    cumulative = torch.cat([torch.zeros(1, dtype=torch.float64), p.mass[order].cumsum(0)])
    exact = cumulative[torch.searchsorted(middle, at)]
    empirical = torch.searchsorted(x.sort().values, at).double() / n
    assert float((exact - empirical).abs().max()) < 1.95 / math.sqrt(n)


def test_refining_changes_the_divergence_by_less_than_a_millionth() -> None:
    for activation in (nn.ReLU, nn.Tanh):
        G = network(activation, 1.5, 4)
        plain, _ = line_jsd(bimodal(), pushforward(G))
        fine, _ = line_jsd(bimodal(), pushforward(G, pieces=8192, tolerance=1e-9, rounds=14))
        assert_close(torch.tensor(plain), torch.tensor(fine), rtol=0, atol=1e-6)


def test_the_networks_own_parameters_are_left_alone() -> None:
    G = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    pushforward(G, pieces=64)
    assert G.training
    assert all(p.dtype == torch.float32 for p in G.parameters())
    assert int(G.state_dict()["1.num_batches_tracked"]) == 0


@pytest.mark.parametrize(
    ("G", "complaint"),
    [
        (nn.Linear(2, 1), "prior has one dimension"),
        (nn.Linear(1, 2), "gives 2 numbers a sample"),
        (lambda z: z / 0, "not finite"),
    ],
)
def test_a_g_that_cannot_be_followed_is_refused(G: Callable[[Tensor], Tensor], complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        pushforward(G)


def test_density_takes_columns_as_a_density_does() -> None:
    p = pushforward(lambda z: 2 * z)
    x = gaussian().sample(10, generator(0, "pushforward-test"))
    assert_close(p.log_prob(x), p.log_prob(x[:, 0]), rtol=0, atol=0)
