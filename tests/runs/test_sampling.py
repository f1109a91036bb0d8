"""Samples of a run: in bf16 how far they are from float32's, of which classes they are, how widely they are displaced.

And that sample i depends on the seed, on i and on its class alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from zerosum.data.space import images
from zerosum.errors import Refusal
from zerosum.nets import build
from zerosum.nets.elastic import NUMBERS, WIDEN
from zerosum.play.config import Config, NetOptions, PriorOptions, to_json
from zerosum.play.players import Players
from zerosum.runs import sampling
from zerosum.runs.labels import class_number, class_numbers
from zerosum.runs.run import Run, open_run
from zerosum.runs.sampling import BLOCK, default_widening, draw_samples, drawn_classes, interpolate, sampling_module

SHAPE = (1, 12, 12)
DCGAN = Config(prior=PriorOptions(dim=6), net=NetOptions(kind="dcgan", width=8, hidden=12))
BF16 = {"engine": "bf16_copy", "routes": "g.layers.1:up d.layers.0:down"}
CLASSES = ("cat", "dog", "owl")


def averaged(config: Config = DCGAN) -> nn.Module:
    return Players(config, images(SHAPE), torch.device("cpu")).ema.module


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_run_trained_in_bf16_is_sampled_in_it(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "bf16_unit", lambda: "BF16")
    G = averaged(replace(DCGAN, net=replace(DCGAN.net, norm=norm)))
    low = sampling_module(G, BF16)
    assert {p.dtype for p in G.parameters()} == {torch.float32}
    n = BLOCK + 3
    exact, found = (draw_samples(module, DCGAN.prior, images(SHAPE), n, 5) for module in (G, low))
    apart = (exact.float() - found.float()).abs()
    assert 0 < apart.mean() < 0.5  # grey levels
    assert apart.max() <= 4
    for part in (1, 40, BLOCK):
        assert_close(draw_samples(low, DCGAN.prior, images(SHAPE), part, 5), found[:part], rtol=0, atol=0)


def test_else_the_average_is_sampled_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "bf16_unit", lambda: "BF16")
    G = averaged()
    assert sampling_module(G, {"engine": "eager"}) is G
    other = nn.Sequential(nn.Linear(6, 144), nn.PReLU(), nn.Unflatten(1, SHAPE))
    assert sampling_module(other, BF16) is other
    monkeypatch.setattr(sampling, "bf16_unit", lambda: "")
    plain = sampling_module(G, BF16)  # Its routes stay, and its weights are the average's own.
    assert {*plain.parameters()} == {*G.parameters()}
    assert_close(plain(torch.ones(2, 6)), G(torch.ones(2, 6)))


# -- classes ----------------------------------------------------------------------------------------------------------------


def conditional(kind: str, shape: tuple[int, ...] = SHAPE, dim: int = 6, elastic: float = 0.0) -> nn.Module:
    """A G of three classes in evaluation mode, with random weights."""
    options: dict[str, Any] = {"width": 8, "depth": 2, "hidden": 0, "refine": 0, "norm": "none", "activation": "relu", "slope": 0.2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(kind, shape, dim, {**options, "elastic": elastic}, len(CLASSES))[0].eval()


@pytest.mark.parametrize("kind", ["mlp", "dcgan", "resnet"])
def test_a_sample_depends_on_the_seed_its_number_and_its_class_alone(kind: str) -> None:
    """Of two blocks and a bit, whatever the others' classes are and however many there are."""
    G, prior, space, n = conditional(kind), PriorOptions(dim=6), images(SHAPE), 2 * BLOCK + 3
    y = torch.arange(n) % 3
    mixed = draw_samples(G, prior, space, n, 5, y)
    whole = [draw_samples(G, prior, space, n, 5, torch.full((n,), c)) for c in range(3)]
    assert len({samples.numpy().tobytes() for samples in whole}) == 3
    for c in range(3):
        assert_close(mixed[y == c], whole[c][y == c], rtol=0, atol=0)
    for part in (1, 40, BLOCK + 1):
        assert_close(draw_samples(G, prior, space, part, 5, y[:part]), mixed[:part], rtol=0, atol=0)
    assert draw_samples(G, prior, space, 0, 5, y[:0]).shape == (0, *SHAPE)


def test_a_walk_keeps_its_class() -> None:
    """Each row against walks that are of one class altogether."""
    G, prior, space = conditional("mlp"), PriorOptions(dim=6), images(SHAPE)
    y = torch.tensor([2, 0, 0, 1])
    walks = interpolate(G, prior, space, 4, 5, 1, y).unflatten(0, (4, 5))
    for row, c in enumerate(y):
        assert_close(walks[row], interpolate(G, prior, space, 4, 5, 1, c.expand(4)).unflatten(0, (4, 5))[row], rtol=0, atol=0)
    ends = draw_samples(G, prior, space, 8, 1, y.repeat(2)).float()
    assert (walks[:, 0].float() - ends[:4]).abs().max() <= 1
    assert (walks[:, -1].float() - ends[4:]).abs().max() <= 1


def test_classes_are_drawn_by_their_shares() -> None:
    n = 20_000
    drawn = drawn_classes([30, 0, 50, 20, 0], n, 3)
    assert drawn.dtype == torch.int64
    counts = torch.bincount(drawn, minlength=5)
    assert counts[1] == counts[4] == 0
    # Four standard deviations of a binomial count are at most 0.015 of n.
    assert_close(counts / n, torch.tensor([0.3, 0, 0.5, 0.2, 0]), rtol=0, atol=0.015)
    for part in (1, BLOCK, 300):
        assert_close(drawn_classes([30, 0, 50, 20, 0], part, 3), drawn[:part], rtol=0, atol=0)
    assert not torch.equal(drawn_classes([30, 0, 50, 20, 0], n, 4), drawn)
    assert drawn_classes([1, 1], 0, 3).shape == (0,)


@pytest.mark.parametrize(
    ("y", "numbers"),
    [
        (1, [1, 1, 1]),
        ("dog", [1, 1, 1]),
        ("2", [2, 2, 2]),
        (["owl", 0, "cat"], [2, 0, 0]),
        ((1, 2, 1), [1, 2, 1]),
        (np.array([2, 1, 0]), [2, 1, 0]),
        (torch.tensor([0, 1, 1]), [0, 1, 1]),
        (np.int64(2), [2, 2, 2]),
    ],
)
def test_a_class_is_a_name_or_a_number(y: Any, numbers: list[int]) -> None:
    assert class_numbers(y, 3, CLASSES).tolist() == numbers


def test_a_name_that_is_a_number_is_a_name_first() -> None:
    names = ("3", "7", "zebra")
    assert class_number("7", names) == 1
    assert class_number("2", names) == 2
    assert class_number(2, names) == 2


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        ("cta", r"There is no class 'cta': the classes are cat, dog, owl, or by number 0 to 2\. Did you mean cat\?"),
        (3, r"There is no class 3: the classes are cat, dog, owl, or by number 0 to 2\."),
        (-1, "There is no class -1:"),
        ("-1", "There is no class '-1':"),
        (True, "There is no class True:"),
        (1.0, r"There is no class 1\.0:"),
        (["cat", "dgo", 1], r"There is no class 'dgo':.*Did you mean dog\?"),
        ([], "0 classes were given for 3 samples: give one class for all of them, or one for each"),
        (["cat"] * 4, "4 classes were given for 3 samples"),
        (np.zeros((3, 1), dtype=int), r"There is no class \[0\]:"),
    ],
)
def test_a_class_that_does_not_exist_is_refused(y: Any, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        class_numbers(y, 3, CLASSES)


def test_a_refusal_lists_a_dozen_classes_at_most() -> None:
    with pytest.raises(Refusal, match=r"are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, \.\.\., or by number 0 to 99\."):
        class_number("x", [str(i) for i in range(100)])


def test_a_conditional_generator_is_sampled_in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its embedding stays float32, as can be: only layers that multiply are copied."""
    monkeypatch.setattr(sampling, "bf16_unit", lambda: "BF16")
    G, n = conditional("dcgan"), BLOCK + 3
    low, y = sampling_module(G, {"engine": "bf16_copy"}), torch.arange(n) % 3
    assert low is not G
    assert low.embedding.weight.dtype == torch.float32
    exact, found = (draw_samples(module, DCGAN.prior, images(SHAPE), n, 5, y).float() for module in (G, low))
    assert 0 < (exact - found).abs().mean() < 0.5  # grey levels
    assert_close(draw_samples(low, DCGAN.prior, images(SHAPE), 9, 5, y[:9]).float(), found[:9], rtol=0, atol=0)


# -- a run ------------------------------------------------------------------------------------------------------------------


@dataclass
class Conditional(Run):
    """A run with a generator of random weights rather than a trained one."""

    named: tuple[str, ...] = CLASSES
    elastic: float = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        return self.named

    @cached_property
    def _generator(self) -> nn.Module:
        if self.named:
            return conditional("dcgan", dim=self.config.prior.dim, elastic=self.elastic)
        return averaged(replace(self.config, net=replace(self.config.net, elastic=self.elastic)))


def run_of(counts: Sequence[int] | None = None, **made: Any) -> Conditional:
    config = replace(DCGAN, prior=PriorOptions(dim=6 + NUMBERS))
    manifest = {"config": to_json(config), "data": {**images(SHAPE).to_json(), "class_counts": counts}, "engine": {}, "players": "built"}
    return Conditional(Path("runs/pets"), manifest, **made)


def test_a_run_is_sampled_by_class() -> None:
    run, n = run_of(), 30
    by_number = [run.sample(n, 4, c) for c in range(3)]
    assert all(array.shape == (n, 12, 12) for array in by_number)
    np.testing.assert_array_equal(run.sample(n, 4, "owl"), by_number[2])
    y = ["dog", "cat", "owl"] * 10
    for i, c in enumerate((1, 0, 2)):
        np.testing.assert_array_equal(run.sample(n, 4, y)[i::3], by_number[c][i::3])
    walk = run.interpolate(3, 4, 4, ["cat", "cat", "dog"]).reshape(3, 4, 12, 12)
    np.testing.assert_array_equal(walk[:2], run.interpolate(3, 4, 4, 0).reshape(3, 4, 12, 12)[:2])
    np.testing.assert_array_equal(walk[2], run.interpolate(3, 4, 4, "dog").reshape(3, 4, 12, 12)[2])


@pytest.mark.parametrize(("counts", "shares"), [(None, [1, 1, 1]), ([10, 0, 30], [10, 0, 30])])
def test_without_y_classes_come_by_their_shares_of_the_training_data(counts: list[int] | None, shares: list[int]) -> None:
    run, n = run_of(counts), 60
    y = drawn_classes(shares, n, 4)
    np.testing.assert_array_equal(run.sample(n, 4), run.sample(n, 4, y.tolist()))
    np.testing.assert_array_equal(run.sample(9, 4), run.sample(n, 4)[:9])
    assert len(set(y.tolist())) == sum(share > 0 for share in shares)


def test_what_a_run_cannot_be_asked_for_is_refused() -> None:
    for draw in (run_of().sample, run_of().interpolate):
        with pytest.raises(Refusal, match=r"There is no class 'cta'.* Did you mean cat\?"):
            draw(3, y="cta")
        with pytest.raises(Refusal, match="2 classes were given for 3 samples"):
            draw(3, y=[0, 1])
    for draw in (run_of(named=()).sample, run_of(named=()).interpolate):
        with pytest.raises(Refusal, match="runs/pets is an unconditional run, which has no classes to sample by"):
            draw(3, y=0)


@pytest.mark.parametrize("named", [(), CLASSES])
def test_samples_are_displaced_more_widely_than_in_training(named: tuple[str, ...]) -> None:
    """By 1.1 where the run does not say; by another number where it does, or where it is asked for."""
    run = run_of(elastic=1.0, named=named)
    assert default_widening(run._generator) == WIDEN == 1.05
    default = run.sample(20, 4, widen=None)
    np.testing.assert_array_equal(default, run.sample(20, 4, widen=WIDEN))
    assert (default != run.sample(20, 4, widen=1.0)).any()
    np.testing.assert_array_equal(run.interpolate(2, 3, 4), run.interpolate(2, 3, 4, widen=WIDEN))
    assert (run.interpolate(2, 3, 4) != run.interpolate(2, 3, 4, widen=0)).any()
    run.manifest["sampling"] = {"widen": 2.0}
    np.testing.assert_array_equal(run.sample(20, 4), run.sample(20, 4, widen=2.0))
    with pytest.raises(Refusal, match="--widen must be a number of at least 0, not -1"):
        run.sample(3, widen=-1)


def test_a_generator_without_displacements_is_not_widened() -> None:
    run = run_of()
    assert default_widening(run._generator) == 1
    np.testing.assert_array_equal(run.sample(3), run.sample(3, widen=1.0))
    with pytest.raises(Refusal, match=r"The generator of runs/pets displaces nothing \(--net.elastic 0\): leave --widen out"):
        run.sample(3, widen=1.5)


@pytest.mark.parametrize("sampling", [{"widen": "1"}, {"widen": -1}, {"widen": True}, 5, None])
def test_a_damaged_statement_of_samples_is_refused(sampling: Any, tmp_path: Path) -> None:
    manifest = {
        "schema": 1,
        "config": to_json(DCGAN),
        "data": {**images(SHAPE).to_json(), "name": "pets", "spec": None, "fingerprint": ""},
        "asked": {"samples": 1, "minutes": None},
        "players": "built",
        "engine": {},
    }
    for said, sound in ({"widen": 1.5}, True), (sampling, False):
        (tmp_path / "run.json").write_text(json.dumps({**manifest, "sampling": said}))
        if sound:
            assert open_run(tmp_path).path == tmp_path
            continue
        with pytest.raises(Refusal, match="damaged"):
            open_run(tmp_path)
