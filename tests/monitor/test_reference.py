"""The reals that checks compare with: what is seen of honest fakes, of bad ones and of copies, and where reals are few. About 3 s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from zerosum.chance import generator, normal
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.monitor.reference import Reference


@pytest.fixture(scope="module")
def ring() -> Data:
    return open_data("ring8", DataOptions())


FAKES: dict[str, Callable[[Tensor], Tensor]] = {
    "honest": lambda x: x,
    "one point": lambda x: x[:1].expand_as(x),
    "half": lambda x: torch.where(x[:, :1] > 0, x, -x),
    "noise": lambda x: normal(x.shape, 1, "noise"),
}


@pytest.mark.parametrize("name", FAKES)
def test_likeness_on_the_ring(name: str, ring: Data) -> None:
    assert ring.density is not None
    material = Reference(ring, 512)
    rows = material.rows(FAKES[name](ring.density.sample(512, generator(5, "fakes"))))
    across = material.across(rows)
    found, floor = material.comparison(rows, across), material.reference_scores
    fresh, error = material.neighbour_test(rows, across)
    if name == "honest":
        assert found.coverage > 0.9
        assert found.missing < 0.15
        assert fresh == pytest.approx(floor["fresh"], abs=4 * error)
        assert found.diversity == pytest.approx(1, abs=0.06)
        return
    assert fresh > 0.1 + 4 * error
    expected = {"one point": (0.02, 0.0, 0.85), "half": (0.65, 1.0, 0.4), "noise": (0.1, 1.41, 0.1)}[name]
    assert found.coverage <= expected[0]
    assert found.diversity == pytest.approx(expected[1], abs=0.4)
    assert found.missing >= expected[2]


def test_names_and_densities_are_not_looked_at(ring: Data) -> None:
    """The same points without their density have the same material."""
    bare = replace(ring, name="points", spec="points.npy", density=None)
    rows = Reference(ring, 256).other_rows
    found = [material.comparison(rows, material.across(rows)) for material in (Reference(ring, 256), Reference(bare, 256))]
    assert found[0] == found[1]


def test_copies_are_seen() -> None:
    data = open_data(normal((400, 2), 0, "few").numpy(), DataOptions())
    material = Reference(data, 512)
    copied = material.copies(data.train.head(200))
    honest = material.copies(normal((200, 2), 1, "fresh"))
    assert copied["memory_held_out"] == pytest.approx(0, abs=0.01)
    assert copied["memory_copies"] == pytest.approx(1)
    assert honest["memory_held_out"] == pytest.approx(1, abs=0.6)
    assert honest["memory_copies"] is not None
    assert honest["memory_copies"] < 0.75
    assert Reference(open_data("ring8", DataOptions()), 64).copies(normal((64, 2), 0, "z"))["memory_copies"] is None


def test_few_training_items_are_compared_by_as_many_held_out_ones_as_there_are() -> None:
    """A hundred items to train on and six thousand held out: the comparison is as sharp as ever, and D is asked about the hundred."""
    whole, few = (open_data("mnist", DataOptions(limit=limit, size="8")) for limit in (None, 40))
    assert [len(Reference(whole, 128).train), len(Reference(few, 128).train)] == [128, 40]
    material, spare = Reference(few, 128), few.validation.head(384)[256:]
    assert material.n == len(material.held) == len(material.others) == 128
    rows = material.rows(spare)
    found = material.comparison(rows, material.across(rows))
    assert found.coverage == pytest.approx(material.reference_scores["coverage"], abs=0.08)
    assert found.missing == pytest.approx(material.reference_scores["missing"], abs=0.1)


def test_few_held_out_reals_borrow_what_is_honest() -> None:
    """Two dozen held-out rows: the floor is taken from as many others, D is asked about all training rows that a check would take, and
    there are fewer cells and neighbours."""
    material = Reference(open_data(normal((240, 2), 0, "few").numpy(), DataOptions()), 512)
    assert material.enough
    assert 20 <= material.n == len(material.held) == len(material.others) < len(material.train)
    assert len(material.anchors) == 2 + (material.n >= 24)
    rows = material.rows(normal((material.n, 2), 1, "fakes"))
    honest, _ = material.neighbour_test(rows, material.across(rows))
    far, error = material.neighbour_test(rows + 6, material.across(rows + 6))
    assert honest == pytest.approx(0, abs=0.15)
    assert far > 0.4 + 4 * error


def test_images_are_compared_by_their_shades_and_copies_by_their_details() -> None:
    """A grain of a pixel or two changes hardly any distance between images, and a copy is told from its original by it."""
    material = Reference(open_data("mnist", DataOptions(size="32", limit=300)), 128)
    assert material.held_rows.shape == (material.n, 64)
    speckled = (material.held.float() + (normal((32, 32), 0, "grain").sign() * 30)).clamp(0, 255).to(torch.uint8)
    moved = (material.rows(speckled) - material.held_rows).norm(dim=1).mean()
    apart = torch.cdist(material.held_rows, material.held_rows).mean()
    assert moved < 0.35 * apart
    assert material.details(speckled).shape[1] == 4 * 64
    own = material.data.train.head(100)
    copied = material.copies(own)
    assert copied["memory_copies"] == pytest.approx(1)
