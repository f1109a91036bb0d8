"""What a setup of the lab may contain, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zerosum.errors import Refusal
from zerosum.web.frames import bytes_of, decoded, encoded, joined
from zerosum.web.setup import Setup, from_json, lab_config


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([], "table"),
        ({"dta": "ring8"}, "has no 'dta'"),
        ({"data": 3}, "must be a name"),
        ({"data": "/etc/passwd"}, "The lab plays with"),
        ({"data": "../runs"}, "The lab plays with"),
        ({"data": "mixture:oops"}, "mixture"),
        ({"steps": 0}, "steps must be"),
        ({"steps": True}, "steps must be"),
        ({"few": -1}, "few must be"),
        ({"far": float("nan")}, "far must be"),
        ({"blind": 1}, "blind must be"),
        ({"options": {"game.valu": "hinge"}}, "game.value"),
        ({"options": {"game.value": "hing"}}, "hinge"),
        ({"options": {"net.width": 100_000}}, "at most 512"),
        ({"options": {"device": "cuda"}}, "cannot be set"),
        ({"options": {"threads": 64}}, "cannot be set"),
        ({"data": "mnist", "few": 10}, "known density"),
        ({"data": "gaussian", "blind": True}, "two coordinates"),
    ],
)
def test_what_is_refused_in_a_sentence(values: Any, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        from_json(values)


def test_only_what_differs_is_written() -> None:
    assert Setup().to_json() == {}
    assert from_json({"options": {"game.k": lab_config("ring8").game.k}}).to_json() == {}
    assert from_json({"data": "moons", "options": {"game.k": 3}}).to_json() == {"data": "moons", "options": {"game.k": 3}}


def test_a_frame_is_read_as_it_was_written() -> None:
    arrays = {"a": np.arange(5, dtype=np.float32), "b": np.arange(6, dtype=np.uint8).reshape(2, 3)}
    numbers, found = decoded(encoded({"t": 3, "V": float("nan"), "name": "é"}, arrays))
    assert numbers == {"t": 3, "V": None, "name": "é"}
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert len(joined([encoded({}, arrays)])) % 8 == 0
    assert bytes_of(np.array([0.0, 0.5, 1.0, np.nan, 7.0])).tolist() == [0, 127, 254, 255, 254]
