from __future__ import annotations

from collections import Counter

import pytest

from zerosum.data.image_size import chosen_size, parse_size
from zerosum.errors import Refusal


@pytest.mark.parametrize(("text", "size"), [("64", (64, 64)), ("48x64", (48, 64)), (" 48 X 64 ", (48, 64)), ("1x4096", (1, 4096))])
def test_sizes_are_height_by_width(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0x8", "8x0", "-8", "8x", "x8", "8x8x8", "big", "6.5", "5000", "99999999999999999999"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="image size"):
        parse_size(text)


def test_images_keep_a_small_size_that_they_share() -> None:
    assert chosen_size(None, Counter({(28, 20): 5})) == (28, 20)
    assert chosen_size(None, Counter({(64, 65): 5})) == (64, 64)
    assert chosen_size(None, Counter({(28, 28): 5, (28, 27): 1})) == (64, 64)
    assert chosen_size("32", Counter({(28, 28): 5})) == (32, 32)
