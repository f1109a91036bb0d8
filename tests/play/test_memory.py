"""The memory of a training step: against a count by hand, and as a refusal before anything is allocated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import zerosum as zs
from zerosum.data import space
from zerosum.nets import NETS
from zerosum.play import oom
from zerosum.play.config import Config, NetOptions
from zerosum.play.memory import WHOLE_STEP, about_most_bytes, least_bytes_per_sample, require_memory


def test_an_mlp_by_hand() -> None:
    """D: 2 -> 10 -> 10 -> 10 -> 1. Each of its four layers' outputs, for a real and a generated sample, four bytes a number."""
    config = Config(net=NetOptions(kind="mlp", width=10, depth=3))
    assert least_bytes_per_sample(config, space.points([0.0, 0.0], [1.0, 1.0])) == 2 * (10 + 10 + 10 + 1) * 4


@pytest.mark.parametrize("classes", ["none", "auto"])
@pytest.mark.parametrize("kind", NETS)
def test_every_kind_of_net_is_counted(kind: str, classes: str) -> None:
    config = Config(net=NetOptions(kind=kind, width=8, classes=classes))
    images = replace(space.images((3, 16, 16)), classes=("a", "b"))
    each = least_bytes_per_sample(config, images)
    assert each > 2 * 8 * 4
    assert least_bytes_per_sample(config, images, value_bytes=2) == each / 2


def test_the_estimate_is_above_what_a_step_needs_at_least() -> None:
    config, images = Config(net=NetOptions(kind="dcgan", width=8), batch=32), space.images((3, 32, 32))
    weights, least = 10_000, 32 * least_bytes_per_sample(config, images)
    estimate = about_most_bytes(config, images, weights)
    assert estimate == 3 * least + 40 * weights + 1e8
    assert estimate > WHOLE_STEP * least
    # In two parts the same batch keeps half.
    assert estimate - about_most_bytes(replace(config, accumulate=2), images, weights) == 1.5 * least


def test_the_limit_is_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    config, points = Config(net=NetOptions(kind="mlp", width=10, depth=3)), space.points([0.0, 0.0], [1.0, 1.0])
    monkeypatch.setattr(oom, "available", lambda: 310)  # KiB: 1,280 times the 248 bytes of a sample.
    fits = int(1280 / WHOLE_STEP)
    require_memory(config, points, fits)
    with pytest.raises(zs.Refusal, match="--batch"):
        require_memory(config, points, fits + 1)


def test_a_batch_that_cannot_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(zs.Refusal, match="smaller --batch"):
        zs.train("ring8", samples=2560, batch=10**12, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
