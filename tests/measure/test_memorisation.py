import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.errors import Refusal
from zerosum.measure.memorisation import comparable, memorisation, nearest, nearest_pairs

D = 20
TRAIN, HELD, FRESH = normal((1500, D), 0, "train"), normal((500, D), 0, "held"), normal((500, D), 0, "fresh")


def read(fake: torch.Tensor) -> dict[str, float]:
    return {r.name: r.value for r in memorisation(fake, HELD, TRAIN)}


def test_nearest_agrees_with_scikit_learn() -> None:
    distance, index = NearestNeighbors(n_neighbors=1).fit(TRAIN.numpy()).kneighbors(FRESH.numpy())
    found = nearest(FRESH, TRAIN)
    assert_close(found.index, torch.tensor(index[:, 0]))
    assert_close(found.distance, torch.tensor(distance[:, 0]).float())


def test_a_row_is_not_its_own_neighbour() -> None:
    found = nearest(TRAIN[10:20], TRAIN, itself=torch.arange(10, 20))
    assert bool((found.index != torch.arange(10, 20)).all())
    assert float(found.distance.min()) > 0


def test_fresh_samples_are_at_one() -> None:
    found = read(FRESH)
    assert_close(found["memory_distance"], 1.0, atol=0.02, rtol=0)
    assert_close(found["memory_held_out"], 1.0, atol=0.3, rtol=0)


def test_copies_are_found() -> None:
    found = read(TRAIN[:500] + 0.01 * normal((500, D), 0, "noise"))
    assert found["memory_held_out"] == 0
    assert found["memory_copies"] == 1
    assert found["memory_distance"] < 0.75
    third = read(torch.cat([TRAIN[:100], FRESH[:200]]))
    assert_close(third["memory_held_out"], 2 / 3, atol=0.25, rtol=0)


def test_copies_of_held_out_samples_are_no_copies_of_the_training_set() -> None:
    found = read(HELD)
    assert_close(found["memory_held_out"], 4.0)  # all of them, where a quarter was expected
    assert found["memory_distance"] > 1e3 or found["memory_distance"] == float("inf")


def test_nearest_pairs_come_nearest_first() -> None:
    fake = FRESH.clone()
    fake[7], fake[3] = TRAIN[11] + 0.001, TRAIN[2]
    assert [(i, j) for i, j, _ in nearest_pairs(fake, TRAIN, 2)] == [(3, 2), (7, 11)]
    assert nearest_pairs(fake, TRAIN, 1)[0][2] == 0


def test_images_are_averaged_down() -> None:
    images = torch.arange(2 * 3 * 28 * 28).reshape(2, 3, 28, 28).to(torch.uint8)
    rows = comparable(images)
    assert rows.shape == (2, 3 * 14 * 14)
    assert_close(rows[0, 0], images[0, 0, :2, :2].float().mean() / 255)
    assert comparable(images[..., :12, :12]).shape == (2, 3 * 12 * 12)


def test_bad_input_is_refused() -> None:
    with pytest.raises(Refusal, match="too few"):
        memorisation(FRESH, HELD[:5], TRAIN)
    with pytest.raises(Refusal, match="NaN"):
        memorisation(FRESH * float("nan"), HELD, TRAIN)
