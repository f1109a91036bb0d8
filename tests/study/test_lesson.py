"""The teaching figure: where it starts, what its panels may say, and the density that it is trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.chance import generator
from zerosum.data.density import bimodal, gaussian, uniform
from zerosum.report.teaching_panel import PULLED
from zerosum.study.lesson import CONVERGED_D, CONVERGED_JSD, Lesson, lesson
from zerosum.study.lesson_config import LESSON
from zerosum.study.truncated import SIGMAS, Truncated, reachable


@pytest.fixture(scope="module")
def short() -> Lesson:
    return lesson(gaussian(), replace(LESSON, batch=128), steps=20, checks=2)


def test_the_game_is_the_papers() -> None:
    assert (LESSON.game.value, LESSON.game.penalty, LESSON.prior.kind) == ("minimax", "none", "uniform")


def test_it_starts_to_the_right_and_too_narrow(short: Lesson) -> None:
    x = torch.from_numpy(short.a.x)
    p_g = torch.from_numpy(short.a.p_g)
    mean = float((x * p_g).sum() / p_g.sum())
    std = float(((x - mean) ** 2 * p_g).sum() / p_g.sum()) ** 0.5
    assert mean > 0.5 * float(short.p_data.std[0])
    assert std < float(short.p_data.std[0])
    # z runs from left to right.
    assert (short.a.Gz[1:] > short.a.Gz[:-1]).all()


def test_every_arrow_of_the_step_points_the_same_way_and_the_jsd_falls(short: Lesson) -> None:
    usual = np.quantile(np.abs(short.b.pull), 0.6)
    assert (short.b.pull[np.abs(short.b.pull) > PULLED * usual] < 0).all()
    assert short.c.jsd < short.b.jsd
    assert (short.c.Gz < short.b.Gz).mean() > 0.9


def test_d_is_at_its_optimum_in_b_and_partly_right_in_a(short: Lesson) -> None:
    best = -1.386294 + 2 * short.b.jsd
    assert short.a.v < short.b.v <= best + 1e-6
    assert best - short.b.v < 0.02


def test_an_end_that_has_not_converged_says_so(short: Lesson) -> None:
    assert not short.d.converged
    assert "(d) the end: not converged" in short.panels()
    assert len(short.panels()) == 4
    good = replace(short.d, jsd=CONVERGED_JSD, half=0.995)
    assert "(d) p_g = p_data, D = 1/2" in replace(short, d=good).panels()
    assert not replace(good, half=0.98).converged


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_panel_d_is_true(seed: int) -> None:
    d = lesson(gaussian(), replace(LESSON, seed=seed), checks=2).d
    assert d.jsd <= 0.002
    assert CONVERGED_D == 0.03
    assert d.half >= 0.99


def test_a_restricted_density_is_a_density() -> None:
    p = reachable(gaussian())
    assert isinstance(p, Truncated)
    assert (p.low, p.high) == (-SIGMAS, SIGMAS) == (-1.8, 1.8)
    # Phi(1.8) - Phi(-1.8), and 1 - 2 * 1.8 phi(1.8) / mass: the variance of a Gaussian restricted to [-1.8, 1.8]
    assert p.mass == pytest.approx(0.928139, abs=1e-6)
    assert float(p.std[0] ** 2) == pytest.approx(1 - 3.6 * 0.0789502 / 0.928139, abs=1e-5)
    x = torch.linspace(-1.8, 1.8, 18001, dtype=torch.float64)[:-1] + 1e-4
    assert float(p.log_prob(x).exp().sum() * 2e-4) == pytest.approx(1, abs=1e-6)
    assert p.log_prob(torch.tensor([-1.9, 1.8])).tolist() == [-float("inf")] * 2
    drawn = p.sample(20_000, generator(0, "test"))
    assert drawn.shape == (20_000, 1)
    assert float(drawn.min()) >= -1.8
    assert float(drawn.max()) < 1.8
    assert float(drawn.std()) == pytest.approx(float(p.std[0]), rel=0.02)


def test_what_g_can_reach_is_left_alone() -> None:
    p = uniform()
    assert reachable(p) is p
    two = reachable(bimodal())
    assert isinstance(two, Truncated)
    assert (two.low, two.high) == pytest.approx((-2.9, 2.9))
