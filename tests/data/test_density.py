"""Known densities: log_prob integrates to one, and samples follow it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import generator
from zerosum.data.density import DENSITIES, Density, Mixture, checkerboard, grid25, moons, ring8, spiral
from zerosum.data.written import parse_drawn, parse_mixture
from zerosum.errors import Refusal

ROWS = list(DENSITIES)
UNEQUAL = "0.3*N(-2,0.5)+0.7*N(1,0.2)"
N = 20_000


def made(name: str) -> Density:
    return DENSITIES[name]() if name in DENSITIES else parse_mixture(name)


def cells(p: Density, per_axis: int) -> tuple[Tensor, float]:
    """Midpoints (M, dim) of equal cells of the support box, and a cell's volume."""
    low, high = p.support
    axes = [a + (b - a) * (torch.arange(per_axis, dtype=torch.float64) + 0.5) / per_axis for a, b in zip(low, high, strict=True)]
    volume = float((high - low).prod()) / per_axis**p.dim
    return torch.cartesian_prod(*axes).reshape(-1, p.dim), volume


@pytest.mark.parametrize("name", [*ROWS, UNEQUAL])
def test_log_prob_integrates_to_one_with_the_stated_moments(name: str) -> None:
    p = made(name)
    x, volume = cells(p, 2000 if p.dim == 1 else 220)
    mass = p.log_prob(x).exp() * volume
    assert_close(mass.sum(), torch.tensor(1.0, dtype=torch.float64), rtol=0, atol=1e-8)
    mean = mass @ x
    # The midpoint rule errs by h^2/12 in a flat law's variance, and by nothing visible in a Gaussian's.
    assert_close(mean, p.mean, rtol=0, atol=1e-8)
    assert_close((mass @ (x - mean) ** 2).sqrt(), p.std, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", [*ROWS, UNEQUAL])
def test_samples_have_the_stated_moments_and_lie_in_the_support(name: str) -> None:
    p = made(name)
    x = p.sample(N, generator(0, "density-test"))
    assert x.shape == (N, p.dim)
    assert x.dtype == torch.float32
    low, high = p.support
    assert bool(((x >= low) & (x <= high)).all())
    assert bool(p.log_prob(x.double()).isfinite().all())
    z = (x.double().mean(0) - p.mean) / p.std * math.sqrt(N)
    assert float(z.abs().max()) < 4.5
    assert_close(x.double().std(0), p.std, rtol=0.03, atol=0)


@pytest.mark.parametrize("name", [*ROWS, UNEQUAL])
def test_samples_follow_log_prob_cell_by_cell(name: str) -> None:
    """Pearson's chi-squared on an even board of cells, each cell's mass integrated on a finer one."""
    p = made(name)
    board, fine = (40, 40) if p.dim == 1 else (16, 15)
    points, volume = cells(p, board * fine)
    low, high = p.support

    def counts(x: Tensor, weight: Tensor) -> Tensor:
        k = ((x - low) / (high - low) * board).long().clamp(0, board - 1)
        flat = k[:, 0] if p.dim == 1 else k[:, 0] * board + k[:, 1]
        return torch.zeros(board**p.dim, dtype=torch.float64).index_add(0, flat, weight)

    expected = N * counts(points, p.log_prob(points).exp() * volume)
    observed = counts(p.sample(N, generator(1, "density-test")).double(), torch.ones(N, dtype=torch.float64))
    rare = expected < 5
    assert float(observed[rare].sum() - expected[rare].sum()) < 5 * math.sqrt(float(expected[rare].sum()) + 1)
    chi = float(((observed - expected) ** 2 / expected)[~rare].sum())
    freedom = int((~rare).sum()) - 1
    assert abs(chi - freedom) < 5 * math.sqrt(2 * freedom), (chi, freedom)


@pytest.mark.parametrize("name", ROWS)
def test_draws_are_a_function_of_the_generator(name: str) -> None:
    p = made(name)
    same = [p.sample(100, generator(3, "density-test")) for _ in range(2)]
    assert_close(same[0], same[1], rtol=0, atol=0)
    assert not torch.equal(same[0], p.sample(100, generator(4, "density-test")))


@pytest.mark.parametrize("name", [*ROWS, UNEQUAL])
def test_knots_span_the_support_and_serve_gauss_legendre(name: str) -> None:
    p = made(name)
    low, high = p.support
    for axis in range(p.dim):
        knots = p.knots(axis)
        assert bool((knots.diff() > 0).all())
        assert_close(torch.stack([knots[0], knots[-1]]), torch.stack([low[axis], high[axis]]), rtol=0, atol=1e-12)
    if p.dim == 1:
        node = 1 / math.sqrt(3)
        middle, half = (knots[1:] + knots[:-1]) / 2, knots.diff() / 2
        mass = sum(float((p.log_prob(middle + s * half).exp() * half).sum()) for s in (-node, node))
        assert mass == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", ROWS)
def test_log_prob_keeps_the_dtype_and_the_shape(name: str) -> None:
    p = made(name)
    x = p.sample(50, generator(5, "density-test"))
    assert p.log_prob(x).dtype == torch.float32
    assert p.log_prob(x.double()).dtype == torch.float64
    assert_close(p.log_prob(x), p.log_prob(x.double()).float(), rtol=1e-3, atol=1e-3)
    if p.dim == 1:
        assert_close(p.log_prob(x), p.log_prob(x[:, 0]), rtol=0, atol=0)
    with pytest.raises(Refusal, match="This density has"):
        p.log_prob(torch.zeros(4, 3))


def test_a_gaussian_mixture_in_closed_form() -> None:
    x = torch.tensor([-2.0, 0.25, 1.0], dtype=torch.float64)

    def normal(mu: float, sigma: float) -> Tensor:
        return torch.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))

    assert_close(parse_mixture(UNEQUAL).log_prob(x).exp(), 0.3 * normal(-2, 0.5) + 0.7 * normal(1, 0.2))


def test_the_table_of_components_is_built_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    p = spiral()
    x = p.sample(30, generator(6, "density-test"))
    whole = p.log_prob(x)
    monkeypatch.setattr("zerosum.data.density._TABLE", 2000)
    assert_close(p.log_prob(x), whole, rtol=0, atol=0)


def test_ring_and_grid_follow_the_protocol() -> None:
    ring, grid = ring8(), grid25()
    assert ring.modes is not None
    assert grid.modes is not None
    gaps = torch.pdist(ring.modes).sort().values
    assert len(ring.modes) == 8
    assert float(gaps[0]) == pytest.approx(2 * math.sin(math.pi / 8))
    assert_close(ring.modes.norm(dim=1), torch.ones(8, dtype=torch.float64))
    assert {tuple(m) for m in grid.modes.tolist()} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    for p, sigma in ((ring, 0.01), (grid, 0.05)):
        assert p.mode_std is not None
        assert p.modes is not None
        assert set(p.mode_std.tolist()) == {sigma}
        x = p.sample(50_000, generator(7, "density-test")).double()
        nearest = torch.cdist(x, p.modes).amin(1)
        # P(|x - mu| < 3 sigma) in two dimensions is 1 - exp(-9/2) = .98889.
        assert float((nearest < 3 * sigma).double().mean()) == pytest.approx(1 - math.exp(-4.5), abs=0.002)


@pytest.mark.parametrize("p", [spiral(), moons()])
def test_a_curve_has_no_modes_and_no_beads(p: Mixture) -> None:
    assert p.modes is None
    assert p.mode_std is None
    assert p.mode_weights is None
    if p.means.shape[0] == 256:
        steps = (p.means[1:] - p.means[:-1]).norm(dim=1)
        assert_close(steps, steps.mean().expand(255), rtol=1e-2, atol=0)
    line = torch.cat([p.means[10:20] + (p.means[11:21] - p.means[10:20]) * t for t in (0.0, 0.25, 0.5, 0.75)])
    along = p.log_prob(line).exp()
    assert float(along.max() / along.min()) < 1.02


def test_the_checkerboard_is_flat_on_half_of_its_board() -> None:
    p = checkerboard()
    x = torch.tensor([[-1.5, -1.5], [-1.5, -0.5], [0.5, 0.5], [1.9, 1.9], [2.1, 1.9]], dtype=torch.float64)
    assert p.log_prob(x).exp().tolist() == pytest.approx([0.125, 0, 0.125, 0.125, 0])


def test_a_mixture_may_be_written_in_many_ways() -> None:
    p = parse_mixture(" 0.25 * N( -1e0 , .5 ) + 0.75*N(+2., 1)")
    assert p.weights.tolist() == [0.25, 0.75]
    assert p.means.tolist() == [[-1.0], [2.0]]
    assert p.stds.tolist() == [0.5, 1.0]
    assert parse_mixture("N(3,2)").weights.tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0.3*N(-2,0.5)+0.6*N(1,0.2)", "does not integrate to one"),
        ("1.5*N(0,1)+-0.5*N(1,1)", "does not integrate to one"),
        ("N(0,1)+N(1,1)", "cannot be read"),
        ("N(0,0)", "above 0"),
        ("N(0,-1)", "above 0"),
        ("0.5*N(0,1)0.5*N(1,1)", "cannot be read"),
        ("0.5*N(0,1)+", "cannot be read"),
        ("", "cannot be read"),
        *((text, "beyond 32-bit numbers") for text in ("N(1e999,1)", "N(0,1e999)", "N(0,1e-300)", "N(1e9,1)")),
    ],
)
def test_a_mixture_that_is_no_density_is_refused_in_one_sentence(text: str, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint) as refusal:
        parse_mixture(text)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


def test_a_drawing_is_a_mixture_along_its_points() -> None:
    p = parse_drawn("0.05@-1,0;0,0.5; 1,0")
    assert p.means.tolist() == [[-1.0, 0.0], [0.0, 0.5], [1.0, 0.0]]
    assert p.modes is None
    assert_close(p.stds, torch.full((3,), 0.05, dtype=torch.float64))
    assert_close(p.weights.sum(), torch.tensor(1.0, dtype=torch.float64))


@pytest.mark.parametrize(
    "text", ["", "0.05", "@1,2", "0.05@1", "0.05@1,2;x,3", "0@1,2", "99@1,2", "0.1@1e9,2", "0.1@" + ";".join(["0,0"] * 1001)]
)
def test_what_is_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="drawing"):
        parse_drawn(text)
