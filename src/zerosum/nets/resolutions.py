"""The image sizes that a convolutional net goes through: each is half the one before, rounded down."""

from __future__ import annotations

from zerosum.errors import Refusal

SMALLEST = 8  # pixels a side: half of it is the 4 x 4 map at which the published nets start


def resolutions(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes from the image down to the smallest map, whose shorter side is 4 to 7: (64, 64) gives 64, 32, 16, 8, 4; (28, 28) 28, 14, 7.

    Raises Refusal below 8 pixels a side.
    """
    if min(height, width) < SMALLEST:
        raise Refusal(
            f"A convolutional net needs images of at least {SMALLEST} pixels a side, not {height} x {width}:"
            f" give --data.size {SMALLEST} or --net.kind mlp."
        )
    sizes = [(height, width)]
    while min(sizes[-1]) > 7:
        h, w = sizes[-1]
        sizes.append((h // 2, w // 2))
    return sizes
