import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import generator, normal
from zerosum.errors import Refusal
from zerosum.measure.inputs import Modes
from zerosum.measure.modes import class_balance, kl, read_modes, stacked_mnist
from zerosum.measure.score import Reading, Refused


def ring(sigma: float = 0.01) -> Modes:
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    return Modes(torch.stack([angle.cos(), angle.sin()], 1), torch.full((8,), sigma).double(), torch.full((8,), 1 / 8).double())


def draw(modes: Modes, n: int, seed: int = 0, spread: float = 1.0, only: int | None = None) -> Tensor:
    m = only or len(modes.centres)
    k = torch.randint(m, (n,), generator=generator(seed, "mode"))
    return (modes.centres[k] + spread * modes.std[k, None] * normal((n, modes.centres.shape[1]), seed, "noise")).float()


def read(x: Tensor, modes: Modes) -> dict[str, Reading]:
    return {r.name: r for r in read_modes(x, modes) if isinstance(r, Reading)}


def test_a_perfect_sampler_reads_as_the_protocol_says() -> None:
    modes = ring()
    found = [read(draw(modes, 2500, seed), modes) for seed in range(20)]
    mean = {name: sum(f[name].value for f in found) / 20 for name in found[0]}
    assert mean["modes"] == 8
    assert_close(mean["high_quality"], 1 - math.exp(-4.5), atol=0.002, rtol=0)  # Rayleigh: P(r <= 3 sigma) = .98889
    assert_close(mean["mode_kl"], 7 / (2 * 2472), atol=0.0005, rtol=0)  # (m - 1) / 2n
    cut = math.sqrt(1 - 4.5 * math.exp(-4.5) / (1 - math.exp(-4.5)))  # E r^2 / 2 of the Rayleigh law cut at 3
    assert_close(mean["sigma_ratio"], cut, atol=0.006, rtol=0)


def test_collapse_onto_three_modes() -> None:
    found = read(draw(ring(), 2500, only=3), ring())
    assert found["modes"].value == 3
    assert_close(found["mode_kl"].value, math.log(8 / 3), atol=0.01, rtol=0)
    assert found["high_quality"].value > 0.98


def test_huddled_samples_show_in_the_sigma_ratio_and_not_in_quality() -> None:
    found = read(draw(ring(), 2500, spread=0.3), ring())
    assert found["high_quality"].value == 1
    assert_close(found["sigma_ratio"].value, 0.3, atol=0.02, rtol=0)


def test_nearest_is_in_sigmas_and_true_weights_count() -> None:
    modes = Modes(torch.tensor([[0.0], [10.0]]).double(), torch.tensor([0.1, 5.0]).double(), torch.tensor([0.25, 0.75]).double())
    x = torch.tensor([[2.0]] * 3 + [[0.0]])
    found = read(x, modes)
    assert found["modes"].value == 2
    assert_close(found["mode_kl"].value, 0.0, atol=1e-12, rtol=0)


def test_no_sample_near_a_mode_leaves_what_can_be_said() -> None:
    readings = read_modes(draw(ring(), 100) + 5, ring())
    assert [type(r) for r in readings] == [Reading, Reading, Refused, Refused]
    assert [r.value for r in readings if isinstance(r, Reading)] == [0, 0]
    assert all(r.why.endswith(".") for r in readings if isinstance(r, Refused))


def test_intervals_cover_the_mean_of_repeats() -> None:
    modes = Modes(torch.tensor([[0.0], [10.0]]).double(), torch.ones(2).double(), torch.tensor([0.3, 0.7]).double())
    repeats = [read(draw(modes, 400, seed), modes) for seed in range(150)]
    for name in ("high_quality", "mode_kl", "sigma_ratio"):
        centre = sum(r[name].value for r in repeats) / 150
        covered = sum(r[name].low <= centre <= r[name].high for r in repeats) / 150
        assert covered >= 0.9, (name, covered)


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(Refusal, match="2 dimensions"):
        read_modes(torch.zeros(5, 3), ring())


def test_kl_against_its_definition() -> None:
    q, p = torch.tensor([1.0, 3.0, 0.0]).double(), torch.tensor([1.0, 1.0, 2.0]).double()
    assert_close(float(kl(q, p)), 0.25 * math.log(0.25 / 0.25) + 0.75 * math.log(0.75 / 0.25))
    assert_close(float(kl(q, q)), 0.0)


def test_class_balance_of_one_class_and_of_two() -> None:
    real = torch.arange(1000) % 2
    names = ("a", "b")
    assert_close(class_balance(torch.zeros(500, dtype=torch.long), real, names).value, math.log(2))
    balanced = class_balance(real, real, names)
    assert_close(balanced.value, 0.0, atol=1e-12, rtol=0)
    assert "a: 500, b: 500" in balanced.note
    with pytest.raises(Refusal, match="one class"):
        class_balance(real, torch.zeros(50, dtype=torch.long), names)


def test_a_class_the_reals_lack_costs_a_finite_sum() -> None:
    value = class_balance(torch.full((100,), 2), torch.arange(100) % 2, ("a", "b", "c")).value
    assert_close(value, math.log(101.5 / 0.5))


def test_stacked_digits() -> None:
    every = torch.cartesian_prod(*[torch.arange(10)] * 3)
    modes, value = stacked_mnist(every.repeat(26, 1))
    assert modes == 1000
    assert_close(value, 0.0, atol=1e-12, rtol=0)
    modes, value = stacked_mnist(every[:100].repeat(10, 1))
    assert modes == 100
    assert_close(value, math.log(10))
    # A perfect sampler at 26,000: the published floor .0192 = 999 / (2 x 26,000).
    perfect = stacked_mnist(torch.randint(10, (26_000, 3), generator=generator(0, "stacked_mnist")))
    assert_close(perfect[1], 0.0192, atol=0.003, rtol=0)
