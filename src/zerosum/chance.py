"""Every random draw of zerosum: a function of (seed, purpose, counter), so that no generator's state is ever saved.

A run that stops and goes on, and a run that is watched, measured or sampled on the way, draw the same numbers by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import torch
from torch import Tensor


def key(seed: int, purpose: str, counter: int = 0) -> int:
    """A 63-bit key for (seed, purpose, counter): the first bytes of a BLAKE2b hash, so that near counters give unrelated keys."""
    digest = blake2b(f"{seed}/{purpose}/{counter}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, purpose: str, counter: int = 0) -> torch.Generator:
    """A fresh CPU generator for (seed, purpose, counter). Draws are made on the CPU so that every device plays the same game."""
    return torch.Generator().manual_seed(key(seed, purpose, counter))


def normal(shape: Sequence[int], seed: int, purpose: str, counter: int = 0) -> Tensor:
    """Standard normal numbers, float32, of `shape`."""
    return torch.randn(tuple(shape), generator=generator(seed, purpose, counter))


def uniform(shape: Sequence[int], seed: int, purpose: str, counter: int = 0) -> Tensor:
    """Uniform numbers in [0, 1), float32, of `shape`."""
    return torch.rand(tuple(shape), generator=generator(seed, purpose, counter))
