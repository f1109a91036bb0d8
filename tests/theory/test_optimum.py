"""D*, V and the JSD on quadrature nodes, against closed forms and against sampling."""

from __future__ import annotations

import math

import mpmath  # type: ignore[import-untyped]
import pytest
import torch
from torch import nn
from torch.nn.functional import logsigmoid
from torch.testing import assert_close

from zerosum.chance import generator
from zerosum.data.density import DENSITIES, bimodal, gaussian, mixture, ring8, uniform
from zerosum.data.written import parse_mixture
from zerosum.errors import Refusal
from zerosum.game.value import VALUES
from zerosum.theory.optimum import LOG4, average_losses, expected, free_discriminator, jsd, line_jsd, logits_of, plane_jsd, v, v_star
from zerosum.theory.pair import line, plane
from zerosum.theory.pushforward import pushforward

LINES = [name for name, make in DENSITIES.items() if make().dim == 1]
PLANES = [name for name, make in DENSITIES.items() if make().dim == 2]


@pytest.mark.parametrize(("mean", "std"), [(1.0, 1.0), (2.0, 1.0), (0.0, 3.0), (0.5, 0.1)])
def test_the_jsd_of_two_gaussians_against_mpmath(mean: float, std: float) -> None:
    def p(x: mpmath.mpf) -> mpmath.mpf:
        return mpmath.npdf(x, 0, 1)

    def q(x: mpmath.mpf) -> mpmath.mpf:
        return mpmath.npdf(x, mean, std)

    def integrand(x: mpmath.mpf) -> mpmath.mpf:
        m = (p(x) + q(x)) / 2
        return p(x) * mpmath.log(p(x) / m) / 2 + q(x) * mpmath.log(q(x) / m) / 2

    end = 12 * max(1.0, std)
    cuts = sorted({-end, -3.0, 0.0, 3.0, end, mean, *(mean + k * std for k in (-4, -2, 2, 4))})
    truth = float(mpmath.quad(integrand, cuts))
    measured, error = line_jsd(gaussian(), mixture([1.0], [mean], [std]))
    assert measured == pytest.approx(truth, abs=1e-8)
    assert abs(measured - truth) <= error + 1e-12
    assert error < 1e-5


@pytest.mark.parametrize("p_name", LINES)
@pytest.mark.parametrize("q_name", LINES)
def test_theorem_1_on_every_pair_of_1d_densities(p_name: str, q_name: str) -> None:
    pair = line(DENSITIES[p_name](), DENSITIES[q_name]())
    divergence = jsd(pair)
    assert v_star(pair) == pytest.approx(-LOG4 + 2 * divergence, abs=1e-10)
    assert -1e-12 <= divergence <= math.log(2) + 1e-12
    assert jsd(line(DENSITIES[q_name](), DENSITIES[p_name]())) == pytest.approx(divergence, abs=1e-12)
    if p_name == q_name:
        assert divergence == pytest.approx(0, abs=1e-12)
        assert_close(pair.d_star, torch.full_like(pair.d_star, 0.5), rtol=1e-12, atol=0)


def test_a_narrow_mode_in_a_wide_law_is_not_missed() -> None:
    p = parse_mixture("0.5*N(0,1e-5)+0.5*N(10,1)")
    assert float(line(p, gaussian()).P.sum()) == pytest.approx(1, abs=1e-6)
    # All of the narrow mode and nearly all of the other lie where N(0,1) has nearly nothing.
    assert jsd(line(p, gaussian())) == pytest.approx(math.log(2), abs=1e-3)


def test_any_other_d_does_worse_than_d_star() -> None:
    pair = line(bimodal(), gaussian())
    for wiggle in (torch.sin(3 * pair.x[:, 0]), torch.full((len(pair.x),), 0.1, dtype=torch.float64), pair.x[:, 0]):
        for size in (-0.5, 0.01, 0.5):
            assert v(pair, pair.logit + size * wiggle) < v_star(pair)


def test_v_is_what_sampling_gives() -> None:
    D = nn.Linear(1, 1)
    with torch.no_grad():
        D.weight.fill_(0.7)
        D.bias.fill_(-0.2)
    p, q, n = bimodal(), uniform(), 200_000
    exact = v(line(p, q), logits_of(D, line(p, q)))
    with torch.no_grad():
        real = logsigmoid(D(p.sample(n, generator(0, "optimum-test"))))
        fake = logsigmoid(-D(q.sample(n, generator(1, "optimum-test"))))
    error = math.sqrt(float(real.var() + fake.var()) / n)
    assert abs(float(real.mean() + fake.mean()) - exact) < 4 * error


@pytest.mark.parametrize("name", list(VALUES))
def test_two_rows_of_the_table_are_the_whole_table(name: str) -> None:
    """Where no cost couples a real with a fake, the separable sum equals the sum over all pairs of nodes; else the table is used."""
    value = VALUES[name]
    pair = line(gaussian(), mixture([1.0], [1.0], [1.0]))
    logit = torch.sin(pair.x[:, 0])
    for cost in (value.d, value.g):
        shape = (len(logit), len(logit))
        table = pair.P @ cost(logit[:, None].expand(shape), logit[None].expand(shape)) @ pair.Q
        assert_close(expected(cost, pair, logit, value.paired), table, rtol=1e-9, atol=1e-9)


def test_the_table_in_parts_is_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = line(gaussian(), mixture([1.0], [1.0], [1.0]))
    whole = average_losses(VALUES["relativistic"], pair, pair.logit)
    assert len(pair.P) ** 2 < 2**22
    thin = pair.thinned(60)
    assert len(thin.x) <= 60
    assert_close(thin.P.sum(), pair.P.sum(), rtol=1e-12, atol=0)
    assert_close(thin.Q.sum(), pair.Q.sum(), rtol=1e-12, atol=0)
    # Merging nodes hides what tells them apart: the game gets a little harder for D.
    assert average_losses(VALUES["relativistic"], thin, thin.logit)[0] == pytest.approx(whole[0], abs=0.01)
    assert jsd(thin) <= jsd(pair)


def test_theorem_1_for_a_folded_g_and_for_one_with_an_atom() -> None:
    for G in (lambda z: z**2 - 1, lambda z: torch.relu(z) - 1, lambda z: torch.sin(4 * z)):
        pair = line(bimodal(), pushforward(G))
        assert v_star(pair) == pytest.approx(-LOG4 + 2 * jsd(pair), abs=1e-9)


def test_free_d_is_refused_where_its_cost_has_no_end() -> None:
    with pytest.raises(Refusal, match="no finite optimum"):
        free_discriminator(VALUES["wasserstein"], line(gaussian(), gaussian()))


def test_free_d_reaches_d_star_from_one_half() -> None:
    pair = line(gaussian(), mixture([1.0], [1.0], [1.0]), nodes=2)
    assert_close(torch.sigmoid(free_discriminator(VALUES["minimax"], pair)), pair.d_star, rtol=0, atol=1e-3)
    early = torch.sigmoid(free_discriminator(VALUES["minimax"], pair, steps=1))
    assert float((early - pair.d_star).abs().max()) > 0.1


def test_the_line_refuses_the_plane_and_the_plane_the_line() -> None:
    with pytest.raises(Refusal, match="2-D density"):
        line(ring8(), gaussian())
    with pytest.raises(Refusal, match="needs a 2-D one"):
        plane(gaussian(), 100)
    with pytest.raises(Refusal, match="at least 10 samples"):
        plane_jsd(ring8(), torch.zeros(3, 2))


@pytest.mark.parametrize("name", PLANES)
def test_samples_of_p_data_itself_score_the_floor(name: str) -> None:
    p = DENSITIES[name]()
    result = plane_jsd(p, p.sample(5000, generator(0, "optimum-test")), cells=96)
    assert 0 <= result.jsd < 0.1
    assert abs(result.jsd - result.floor) < 6 * result.error + 0.1 * result.floor
    pair = plane(p, 5000, cells=96).pair(p.sample(100, generator(0, "optimum-test")))
    assert float(pair.P.sum()) == pytest.approx(1, abs=1e-9)
    assert float(pair.Q.sum()) == pytest.approx(1, abs=1e-9)


def test_a_plane_with_known_divergence() -> None:
    """Half of ring8's modes missing: p_g is uniform over 4 of 8 modes, JSD = (3/4) log(4/3) - ... in closed form."""
    p = ring8()
    x = p.sample(20_000, generator(2, "optimum-test"))
    nearest = torch.cdist(x.double(), p.means).argmin(1)
    kept = x[nearest < 4]
    # On the modes kept p = 1/8, q = 1/4; on the others q = 0.
    truth = 0.5 * (0.5 * math.log((1 / 8) / (3 / 16)) + 0.5 * math.log(2)) + 0.5 * math.log((1 / 4) / (3 / 16))
    result = plane_jsd(p, kept, cells=192)
    assert result.jsd == pytest.approx(truth, abs=result.floor + 4 * result.error + 0.005)
    assert result.n == len(kept)


def test_samples_far_off_count_against_g() -> None:
    assert plane_jsd(ring8(), torch.full((50, 2), 9.0), cells=64).jsd == pytest.approx(math.log(2), abs=1e-6)


def test_the_stated_error_is_the_spread_over_repeats() -> None:
    p = DENSITIES["moons"]()
    results = [plane_jsd(p, p.sample(2000, generator(i, "optimum-test")) * 0.9, cells=64) for i in range(12)]
    spread = float(torch.tensor([r.jsd for r in results]).std())
    stated = sum(r.error for r in results) / len(results)
    assert 0.5 < stated / spread < 2
