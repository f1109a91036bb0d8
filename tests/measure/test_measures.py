"""The contract that every row of MEASURES keeps."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import generator, normal
from zerosum.measure import MEASURES
from zerosum.measure.evaluation import evaluate
from zerosum.measure.inputs import MeasureInputs, Modes, SampleSet
from zerosum.measure.score import Reading

MODES = Modes(torch.tensor([[-4.0, 0.0], [4.0, 0.0]]).double(), torch.ones(2).double(), torch.full((2,), 0.5).double())


def part(n: int, purpose: str, keep: int = 2, spread: float = 1.0) -> SampleSet:
    k = torch.randint(keep, (n,), generator=generator(0, f"{purpose}: mode"))
    x = (MODES.centres[k] + spread * normal((n, 2), 0, purpose)).float()
    return SampleSet(x, x, (x[:, 0] > 0).long())


def sets(fake: SampleSet | None = None) -> MeasureInputs:
    train = part(1200, "train")
    return MeasureInputs(fake or part(600, "fake"), part(600, "real"), part(600, "spare"), train.samples, MODES, ("left", "right"))


def pictures(n: int, purpose: str, grey: float = 128.0) -> SampleSet:
    """Images of a soft edge at any height, and noise."""
    at = torch.arange(8.0)[None, None, :, None] - 6 * torch.rand((n, 1, 1, 1), generator=generator(0, f"{purpose}: edge"))
    x = (grey + 60 * at.tanh() + 10 * normal((n, 1, 8, 8), 0, purpose)).clamp(0, 255).to(torch.uint8)
    return SampleSet(x.flatten(1).float(), x)


def of_images(grey: float = 128.0) -> MeasureInputs:
    return MeasureInputs(
        pictures(600, "fake", grey),
        pictures(600, "real"),
        pictures(600, "spare"),
        pictures(1200, "train").samples,
        MODES,
        ("left", "right"),
    )


def good(name: str) -> MeasureInputs:
    return of_images() if "images" in MEASURES[name].needs else sets()


NO_INTERVAL = {"jsd", "density"}  # a bound has one end; of density no interval covers what it should
COPIES = part(1200, "train").samples[:600] + 1e-4
BROKEN = {"memorisation": replace(sets(), fake=SampleSet(COPIES, COPIES)), "noise_share": of_images(grey=100.0)}
COLLAPSED = sets(part(600, "fake", keep=1, spread=0.3))


@pytest.mark.parametrize("name", MEASURES)
def test_a_row_gives_the_readings_it_names_with_an_interval(name: str) -> None:
    measure = MEASURES[name]
    readings = measure.function(good(name))
    assert [r.name for r in readings] == list(measure.scores)
    for r in readings:
        assert isinstance(r, Reading)
        assert math.isfinite(r.value)
        assert (r.low is None) == (r.high is None) == (r.name in NO_INTERVAL)
        assert r.low is None or r.high is None or r.low <= r.value <= r.high, r
    assert set(measure.needs) <= {"train", "modes", "classes", "images"}
    for text in (measure.source, *(named.meaning for named in measure.scores.values())):
        assert text
    assert all(named.meaning.endswith(".") for named in measure.scores.values())


@pytest.mark.parametrize("name", MEASURES)
def test_reals_against_reals_come_out_at_the_floor(name: str) -> None:
    for score in evaluate(good(name), "raw", "test", [name]):
        assert score.value is not None
        assert score.floor is not None
        if score.low is None or score.high is None:
            assert_close(score.value, score.floor, atol=0.1, rtol=0)
            continue
        # The floor is one draw with noise of its own: within twice the interval's half width, and the grain of a count.
        assert_close(score.value, score.floor, atol=2 * max(score.high - score.value, score.value - score.low) + 1e-3, rtol=0)
        json.dumps(score.to_json(), allow_nan=False)


@pytest.mark.parametrize("name", MEASURES)
def test_broken_fakes_leave_the_floor_on_the_bad_side(name: str) -> None:
    moved = 0
    for score in evaluate(BROKEN.get(name, COLLAPSED), "raw", "test", [name]):
        assert score.value is not None
        assert score.floor is not None
        if score.low is None or score.high is None:
            assert score.better != "lower" or score.value > score.floor, score
            moved += abs(score.value - score.floor) > 0.2
            continue
        off = not score.low <= score.floor <= score.high
        if score.better == "lower":
            assert score.low > score.floor, score
        elif score.better == "higher" and score.name != "precision":
            assert score.high < score.floor, score
        moved += off
    assert moved


@pytest.mark.parametrize("name", MEASURES)
def test_the_order_of_the_samples_does_not_matter_beyond_noise(name: str) -> None:
    base = BROKEN["noise_share"] if name == "noise_share" else COLLAPSED
    turned = replace(base, fake=base.fake.take(torch.randperm(600, generator=generator(0, "turn"))))
    for a, b in zip(MEASURES[name].function(base), MEASURES[name].function(turned), strict=True):
        assert isinstance(a, Reading)
        assert isinstance(b, Reading)
        seeded = name in ("two_sample", "divergence")  # they divide the samples by the seed
        width = 0.05 if a.low is None or a.high is None else a.high - a.low
        # The groups of the jackknife are made in the order of the samples.
        rtol = 1e-3 if a.name == "frechet_corrected" else 0.0
        assert_close(b.value, a.value, atol=width + 1e-3 if seeded else 1e-5, rtol=rtol)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("fault", ["nan", "few", "identical"])
def test_bad_fakes_are_refused_or_measured_but_never_nan(name: str, fault: str) -> None:
    x = part(600, "fake").samples.clone()
    if fault == "nan":
        x[5, 1] = math.nan
    x = {"nan": x, "few": x[:1], "identical": x[:1].repeat(600, 1)}[fault]
    bad = replace(sets(), fake=SampleSet(x, x, torch.zeros(len(x), dtype=torch.long)))
    if name == "noise_share":
        images = pictures(600, "fake").samples
        images = {"nan": images[:5], "few": images[:1], "identical": images[:1].repeat(600, 1, 1, 1)}[fault]
        bad = replace(of_images(), fake=SampleSet(images.flatten(1).float(), images))
    for score in evaluate(bad, "raw", "test", [name]):
        if score.value is None:
            assert score.note.endswith(".")
            assert "\n" not in score.note
        else:
            assert fault != "nan", "NaN must be refused"
            assert math.isfinite(score.value)


@pytest.mark.parametrize("name", MEASURES)
def test_the_seed_decides(name: str) -> None:
    assert MEASURES[name].function(good(name)) == MEASURES[name].function(good(name))
