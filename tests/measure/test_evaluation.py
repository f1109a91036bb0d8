import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.data.density import gaussian, ring8, spiral
from zerosum.data.mnist import digits as mnist
from zerosum.errors import Refusal
from zerosum.measure import MEASURES
from zerosum.measure.evaluation import evaluate_images, evaluate_points, evaluate_sets
from zerosum.measure.features import features
from zerosum.measure.score import Score

QUICK = [name for name in MEASURES if name != "divergence"]


def named(scores: list[Score]) -> dict[str, Score]:
    assert len({s.name for s in scores}) == len(scores)
    return {s.name: s for s in scores}


def points(n: int, purpose: str) -> Tensor:
    return normal((n, 2), 0, purpose)


def images(part: str, start: int, stop: int) -> Tensor:
    return torch.tensor(mnist(part)[0][start:stop])[:, None]


def test_points_of_a_density_with_modes() -> None:
    fake, real, train = (ring8().sample(n, torch.Generator().manual_seed(n)) for n in (800, 1000, 1500))
    scores = named(evaluate_points(fake, real, train, ring8()))
    assert set(scores) == {name for measure in MEASURES.values() for name in measure.scores} - {"class_kl", "noise_share"}
    assert scores["modes"].value == scores["modes"].floor == 8
    for score in scores.values():
        assert (score.n, score.n_real, score.split, score.features) == (800, 1000, "test", "raw")
        assert not score.refused


def test_a_density_without_modes_counts_none() -> None:
    fake, real = (spiral().sample(100, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert "modes" not in named(evaluate_points(fake, real, None, spiral(), only=QUICK))
    one = gaussian().sample(300, torch.Generator().manual_seed(0))
    assert named(evaluate_points(one[:150], one[150:], None, gaussian(), only=["modes"]))["modes"].value == 1


def test_digits_against_digits_come_out_at_the_floor() -> None:
    scores = named(
        evaluate_images(images("train", 0, 500), images("t10k", 0, 500), images("train", 500, 2000), features("digits"), only=QUICK)
    )
    assert "10 classes" not in scores["class_kl"].note
    for score in scores.values():
        on_samples = score.name == "noise_share" or score.name.startswith("memory")
        assert score.features == ("raw" if on_samples else features("digits").label)
        assert score.value is not None
        assert score.floor is not None
        if score.low is None or score.high is None:
            assert score.name == "density"
            continue
        width = score.high - score.low
        assert score.low - width <= score.floor <= score.high + width, score
        assert score.floor_low is not None
        assert score.floor_high is not None
        assert score.floor_low <= score.floor <= score.floor_high, score


def test_progress_is_told_up_to_the_end_of_each_stage() -> None:
    told: list[tuple[str, int, int]] = []
    only = ["frechet", "diversity"]
    parts = (images("train", 0, 300), images("t10k", 0, 300), images("train", 300, 700))
    evaluate_images(*parts, features("digits"), only=only, progress=lambda *step: told.append(step))
    taken = [("Computing features", 300 * i, 900) for i in range(4)]
    assert told == taken + [("Measuring", i, 2) for i in range(3)]


def test_damaged_digits_do_not() -> None:
    fake = images("train", 0, 500)[:1].repeat(500, 1, 1, 1).clone()
    fake[:, 0, 0, 0] = torch.arange(500) % 200  # one digit five hundred times, not quite identical
    scores = named(evaluate_images(fake, images("t10k", 0, 500), images("train", 0, 800), features("digits"), only=QUICK))
    value = {name: score.value for name, score in scores.items()}
    floor = {name: score.floor for name, score in scores.items()}
    assert value["frechet"] > 5 * floor["frechet"]  # type: ignore[operator]
    assert value["recall"] == 0
    assert value["class_kl"] > 1  # type: ignore[operator]
    assert value["memory_copies"] == 1
    assert value["diversity"] < 0.1  # type: ignore[operator]


def test_images_without_weights_use_a_new_classifiers_features_and_say_so() -> None:
    noise = (normal((1000, 3, 8, 8), 0, "noise") * 30 + 128).clamp(0, 255).to(torch.uint8)
    scores = named(evaluate_images(noise[:450], noise[450:900], None, None, only=["kid", "frechet", "memorisation", "classes", "prdc"]))
    assert set(scores) == {"frechet", "frechet_corrected", "kid", "precision", "recall", "density", "coverage"}
    assert scores["kid"].features.startswith("fresh:")
    assert scores["kid"].n == 135  # the held-out third part alone
    assert scores["kid"].low is not None
    assert scores["kid"].high is not None
    assert scores["kid"].low < 0 < scores["kid"].high


def test_too_few_for_a_new_classifier_is_said_for_each_measure() -> None:
    noise = torch.arange(100 * 64).reshape(100, 1, 8, 8).to(torch.uint8)
    scores = evaluate_images(noise[:50], noise[50:], None, None)
    assert scores
    assert all(s.refused and "at least 200" in s.note for s in scores if s.name != "noise_share")
    said = {s.name: s.note for s in scores}
    assert "JSD" not in said["frechet"]
    assert "there are 50 and 50" in said["frechet"]
    assert "--features inception" in said["frechet"]


def test_any_points_against_any_points() -> None:
    scores = named(evaluate_sets(points(400, "a"), points(400, "b"), only=QUICK))
    for score in scores.values():
        assert score.split == "given"
        assert "of the real samples against the other" in score.note
        assert score.value is not None
        assert score.floor is not None
        if score.low is None or score.high is None:
            assert score.name == "density"
            continue
        width = score.high - score.low
        assert score.low - width <= score.floor <= score.high + width, score
        assert score.floor_low is not None
        assert score.floor_high is not None
        assert score.floor_low <= score.floor <= score.floor_high, score


def test_the_floor_of_two_halves_is_brought_to_the_full_size() -> None:
    """The plug-in distance of equal distributions is proportional to 1/n + 1/m: the mean floor is the mean value."""
    only = ["frechet"]
    scores = [evaluate_sets(normal((300, 4), i, "a"), normal((600, 4), i, "b"), seed=i, only=only)[0] for i in range(40)]
    value, floor = (torch.tensor([getattr(s, what) for s in scores]).mean() for what in ("value", "floor"))
    assert_close(floor / value, torch.tensor(1.0), atol=0.2, rtol=0)


def test_a_refused_measure_leaves_the_others() -> None:
    scores = named(evaluate_sets(points(30, "a"), points(30, "b"), only=["frechet", "two_sample", "prdc"]))
    assert scores["two_sample"].refused
    assert "at least 100" in scores["two_sample"].note
    assert not scores["frechet"].refused
    wide = named(evaluate_sets(normal((60, 40), 0, "a"), normal((60, 40), 0, "b"), only=["frechet", "kid"]))
    assert wide["frechet"].refused
    assert not wide["kid"].refused


@pytest.mark.parametrize(
    ("fake", "real", "said"),
    [
        (points(30, "a"), normal((30, 3), 0, "b"), "same d"),
        (points(30, "a"), torch.zeros(30, 1, 8, 8, dtype=torch.uint8), "points"),
        (torch.zeros(30, 3, 8, 8, dtype=torch.uint8), torch.zeros(30, 1, 8, 8, dtype=torch.uint8), "8 x 8 with 3 channels"),
        (torch.zeros(30, 1, 8, 9, dtype=torch.uint8), torch.zeros(30, 1, 8, 8, dtype=torch.uint8), "8 x 9"),
        (torch.zeros(30, 1, 8, 8), torch.zeros(30, 1, 8, 8, dtype=torch.uint8), "uint8"),
        (points(30, "a"), points(30, "b") * float("nan"), "NaN"),
    ],
)
def test_sets_that_do_not_go_together_are_refused(fake: Tensor, real: Tensor, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        evaluate_sets(fake, real)
    assert str(refusal.value).endswith(".")


def test_nan_in_the_fakes_refuses_each_measure_with_a_sentence() -> None:
    fake = points(300, "a")
    fake[3] = float("nan")
    scores = evaluate_points(fake, points(300, "b"), points(300, "c"), None)
    assert scores
    assert all(s.refused and s.note.endswith(".") for s in scores)
