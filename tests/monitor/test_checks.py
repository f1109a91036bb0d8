"""Checks: they alter nothing, a resume neither repeats nor skips one, and their numbers are what closed forms say. About 6 s."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.data.modality import MODALITIES, CheckSize
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.monitor.check_schedule import A_RUN, next_check
from zerosum.monitor.checks import Checks
from zerosum.monitor.diagnostics import exact_jsd
from zerosum.monitor.discriminator import auc, calibrated, separation
from zerosum.nets.mlp import Discriminator, Generator
from zerosum.play.config import Config, GameOptions, NetOptions, PriorOptions
from zerosum.training import launch

POINTS = Config(prior=PriorOptions(dim=4), net=NetOptions(width=16, depth=2), batch=16, average=100, threads=1, device="cpu")
IMAGES = replace(POINTS, net=NetOptions(kind="resnet", width=4, depth=1), batch=8)
PLAIN = GameOptions(value="non_saturating", penalty="none")
CASES: dict[str, tuple[Config, str]] = {
    "relativistic": (POINTS, "ring"),
    "dropout, no average": (replace(POINTS, game=PLAIN, net=NetOptions(width=16, dropout=0.3), average=0), "ring"),
    "batch norm": (replace(IMAGES, game=PLAIN, net=NetOptions(kind="dcgan", width=4, norm="batch")), "pictures"),
    "bf16, k": (replace(IMAGES, precision="bf16", game=replace(PLAIN, k=2)), "pictures"),
}
CLOCKED = {"seconds", "took"}


@pytest.fixture(scope="module")
def ring() -> Data:
    return open_data("ring8", DataOptions())


@pytest.fixture(scope="module")
def pictures() -> Data:
    images = (normal((400, 16, 16), 0, "pictures") * 40 + 128).clamp(0, 255).to(torch.uint8).numpy()
    return open_data(images, DataOptions())


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks every 3 rounds of 16."""
    for kind, n in (("points", 64), ("images", 32)):
        monkeypatch.setitem(MODALITIES, kind, replace(MODALITIES[kind], check=CheckSize(n, 48)))


def state(run: Path) -> dict[str, Tensor]:
    checkpoint = sorted((run / "checkpoints").iterdir())[-1]
    return {f"{f.name}:{k}": v for f in sorted(checkpoint.glob("*.safetensors")) for k, v in load_file(f).items()}


def timeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in CLOCKED} for row in rows]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("often")
def test_checks_alter_nothing(name: str, ring: Data, pictures: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, which = CASES[name]
    data, samples = (ring if which == "ring" else pictures), 10 * config.batch * config.game.k
    checked = launch.train(data, tmp_path / "checked", config, samples=samples)
    assert len(checked.rows("check")) > 2
    monkeypatch.setattr(Checks, "due", lambda self, t: False)
    unchecked = launch.train(data, tmp_path / "unchecked", config, samples=samples)
    assert unchecked.rows("check") == []
    assert_close(state(checked.path), state(unchecked.path), rtol=0, atol=0)


class Forgetful(Discriminator):
    """A person's own D, which draws from torch's global generator as it pleases."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(dropout(x, 0.2))


@pytest.mark.usefixtures("often")
def test_checks_leave_the_global_generator_as_it_was(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"width": 8, "depth": 1, "norm": "none", "activation": "relu", "slope": 0.2}

    def play(name: str) -> dict[str, Tensor]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            given: tuple[nn.Module, nn.Module] = (Generator((2,), 4, **options), Forgetful((2,), **options))
            launch.train(ring, tmp_path / name, replace(POINTS, game=PLAIN), samples=160, given=given)
        return state(tmp_path / name)

    checked = play("checked")
    monkeypatch.setattr(Checks, "due", lambda self, t: False)
    assert_close(checked, play("unchecked"), rtol=0, atol=0)


@pytest.mark.usefixtures("often")
def test_a_resume_neither_repeats_nor_skips_a_check(ring: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = launch.train(ring, tmp_path / "straight", POINTS, samples=20 * 16)
    original = launch.Loop._one_step

    def one_step(self: launch.Loop) -> None:
        original(self)
        if self.t in (6, 7, 16):  # the second of a pair of checks, between two, and one before the next
            self.horizon.until = -1.0

    monkeypatch.setattr(launch.Loop, "_one_step", one_step)
    broken = launch.train(ring, tmp_path / "broken", POINTS, samples=20 * 16)
    for _ in range(3):
        broken = launch.resume(broken.path, data=ring)
    assert broken.finished
    assert timeless(broken.rows("check")) == timeless(straight.rows("check"))
    assert [row["round"] for row in straight.rows("check")] == [0, 3, 6, 9, 12, 15, 18, 20]


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("items", [16, 60, 240, 600])
def test_the_smallest_sets_are_checked_as_far_as_they_go(items: int, tmp_path: Path) -> None:
    data = open_data(normal((items, 3), 0, "few").numpy(), DataOptions())
    rows = launch.train(data, tmp_path / "a", POINTS, samples=64).rows("check")
    assert all(row["finite"] for row in rows)
    n = rows[-1]["n"]
    assert ("auc_val" in rows[-1]) == (n >= 8)
    assert ("coverage" in rows[-1]) == (n >= 20)
    assert (n < 8) == (items < 240)


def test_a_check_that_finds_no_numbers_says_so(ring: Data, tmp_path: Path) -> None:
    class Broken(Generator):
        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z) * (torch.nan if len(z) > 16 else 1.0)

    G = Broken((2,), 4, width=8, depth=1, activation="relu", slope=0.0)
    D = Discriminator((2,), width=8, depth=1, activation="relu", slope=0.0)
    rows = launch.train(ring, tmp_path / "a", POINTS, samples=64, given=(G, D)).rows("check")
    assert [row["finite"] for row in rows] == [False, False]
    assert "auc_val" not in rows[-1]


@pytest.mark.parametrize(("horizon", "apart"), [(10, 40), (100, 40), (1000, 7), (250_000, 40), (None, 40)])
def test_when_checks_are_due(horizon: int | None, apart: int) -> None:
    rounds: list[int] = []
    while not rounds or rounds[-1] < (horizon or 10**6):
        rounds.append(next_check(rounds[-1] if rounds else None, horizon, apart))
    gaps = [later - earlier for earlier, later in pairwise(rounds)]
    assert rounds[0] == 0
    if horizon is not None:
        assert rounds[-1] == horizon
        assert len(rounds) <= A_RUN + 1 + 4 * math.log(1 + horizon / apart)
        assert all(gap >= apart for gap in gaps[:-1])
    assert gaps[:-1] == sorted(gaps[:-1])
    # What was played is all that it depends on: a run with twice the horizon has the same first checks.
    assert next_check(40, horizon, apart) >= 40 + apart or horizon is not None


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("falls", [False, True])
def test_a_check_tells_how_far_the_schedule_has_to_fall(falls: bool, ring: Data, tmp_path: Path) -> None:
    config = replace(POINTS, d=replace(POINTS.d, lr_end=POINTS.d.lr / 10)) if falls else POINTS
    rows = launch.train(ring, tmp_path / "a", config, samples=20 * 16).rows("check")
    expected = [(1 + math.cos(math.pi * row["round"] / 20)) / 2 if falls else 0.0 for row in rows]
    assert [row["left"] for row in rows] == pytest.approx(expected, abs=1e-4)


def test_auc() -> None:
    a, b = normal((40,), 0, "a") + 0.5, normal((60,), 0, "b")
    brute = (a[:, None] > b).double().mean()
    assert_close(torch.tensor(auc(a, b), dtype=torch.float64), brute)
    assert auc(a.exp(), b.exp()) == auc(a, b)
    assert auc(a, b) + auc(b, a) == pytest.approx(1)
    assert auc(torch.ones(3), torch.ones(4)) == 0.5
    assert auc(torch.tensor([2.0, 1.0]), torch.tensor([1.0, 0.0])) == 0.875


def test_calibration_finds_the_true_log_ratio() -> None:
    """Logits of N(m, 1) against N(-m, 1) have log ratio 2 m x, whatever scale and shift D gives them."""
    x, y = normal((20_000,), 0, "x") + 0.7, normal((20_000,), 0, "y") - 0.7
    gain, offset = calibrated(5 * x + 3, 5 * y + 3)
    assert gain * 5 == pytest.approx(1.4, rel=0.04)
    assert gain * 3 + offset == pytest.approx(0, abs=0.04)


def test_contrast_of_a_D_that_knows_its_own_reals() -> None:
    train, held, fake = (normal((2000,), 0, name) + shift for name, shift in (("t", 2.0), ("h", 0.0), ("f", 0.0)))
    found = separation(train, held, fake)
    assert found["auc_gap"] == pytest.approx(0.921, abs=0.02)  # Phi(2 / sqrt 2)
    assert found["auc_val"] == pytest.approx(0.5, abs=0.02)
    assert found["cross_entropy_val"] == pytest.approx(math.log(2), abs=0.01)
    assert found["r_v"] == pytest.approx(1, abs=0.05)
    scaled = separation(7 * train - 50, 7 * held - 50, 7 * fake - 50)
    assert_close({k: scaled[k] for k in scaled}, found, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("shift", "jsd"), [(0.0, 0.0), (1.0, 0.1114)])
def test_the_exact_jsd_of_a_line(shift: float, jsd: float) -> None:
    """G(z) = z + shift against N(0, 1)."""
    data = open_data("gaussian", DataOptions())
    assert data.density is not None
    G = nn.Linear(1, 1)
    with torch.no_grad():
        G.weight.fill_(1)
        assert G.bias is not None
        G.bias.fill_(shift)
    with torch.no_grad():
        assert exact_jsd(data.density, G, "normal", data.space) == pytest.approx(jsd, abs=1e-3)


def test_a_check_has_the_exact_jsd_where_it_can_be_had(tmp_path: Path) -> None:
    line = replace(POINTS, prior=PriorOptions(dim=1))
    row = launch.train(open_data("bimodal", DataOptions()), tmp_path / "a", line, samples=64).rows("check")[-1]
    assert 0 < row["jsd"] < math.log(2)
    assert row["modes_of"] == 2
