"""An endless shuffled order in constant memory: for each epoch a new permutation of range(N), evaluated only where it is needed.

Why not numpy.random.permutation, once an epoch? For ten million items it is an array of 40 MB (uint32) or 80 MB (int64), and making it
stops training for part of a second. A resumed run would have to make it again before its first batch. Here an epoch needs no memory: the
item at position i is computed from i, the seed and the epoch. Only the blocks of 4096 positions in use are kept.

How: a Feistel network (Luby and Rackoff 1988), the construction of block ciphers. Write a position as a pair (l, r) with l < a and r < b,
where a b is just above N. Each half-round adds a hash of one half to the other half, modulo a or b. That can be undone whatever the hash
is, so the whole maps pairs one to one: it is a permutation of range(a b). For a permutation of range(N), results of N and above are put
through again until they are below N (Black and Rogaway 2002, section 3).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isqrt

import numpy as np
import numpy.typing as npt

from zerosum.chance import key

Indices = npt.NDArray[np.int64]

# Four are enough for large halves (Luby and Rackoff). Tiny data need more: over 30,000 keys, the 720 orders of six items are visibly
# unequal after ten half-rounds, and not after sixteen.
HALF_ROUNDS = 16
BLOCK = 4096
BLOCKS = 8  # number of blocks that are kept

BlockOrder = Callable[[int, int, int, str, int], Indices]


def batch_order(n: int, size: int, seed: int, purpose: str, counter: int, block_of: BlockOrder | None = None) -> Indices:
    """The items of batch number `counter`: positions counter n to counter n + n - 1 of the endless order. Shape (n,), in range(size).

    Each of `size` items occurs once an epoch. block_of: used in place of `block`, for a caller that maps whole blocks at once.
    """
    block_of = block_of or _kept
    start = counter * n
    parts = []
    while n > 0:
        epoch, place = divmod(start, size)
        number, offset = divmod(place, BLOCK)
        step = min(n, size - place, BLOCK - offset)
        parts.append(block_of(number, size, seed, purpose, epoch)[offset : offset + step])
        start, n = start + step, n - step
    return np.concatenate([np.empty(0, np.int64), *parts])


def block(number: int, size: int, seed: int, purpose: str, epoch: int) -> Indices:
    """The items at positions number BLOCK to number BLOCK + BLOCK - 1 of an epoch's order; fewer in its last block."""
    return permuted(np.arange(number * BLOCK, min((number + 1) * BLOCK, size)), size, seed, purpose, epoch)


# numpy takes as long for 256 positions as for thousands, so whole blocks are computed and kept for the batches that follow.
_kept = lru_cache(BLOCKS)(block)


def permuted(positions: Indices, size: int, seed: int, purpose: str, epoch: int) -> Indices:
    """The items at `positions` in the permutation of range(size) for this (seed, purpose, epoch). Shape as given; size below 2^62."""
    a = isqrt(size - 1) + 1
    b = -(-size // a)
    keys = _keys(seed, purpose, epoch)
    x = _feistel(positions.astype(np.uint64), a, b, keys)
    while (outside := x >= size).any():
        x[outside] = _feistel(x[outside], a, b, keys)
    return x.astype(np.int64)


@lru_cache(maxsize=16)
def _keys(seed: int, purpose: str, epoch: int) -> tuple[np.uint64, ...]:
    return tuple(np.uint64(key(seed, f"{purpose}/{i}", epoch)) for i in range(HALF_ROUNDS))


def _feistel(x: npt.NDArray[np.uint64], a: int, b: int, keys: tuple[np.uint64, ...]) -> npt.NDArray[np.uint64]:
    left, right = np.divmod(x, np.uint64(b))
    moduli = np.uint64(a), np.uint64(b)
    for i in range(0, HALF_ROUNDS, 2):
        left += _hash(right, keys[i], moduli[0])
        left -= moduli[0] * (left >= moduli[0])
        right += _hash(left, keys[i + 1], moduli[1])
        right -= moduli[1] * (right >= moduli[1])
    return left * moduli[1] + right


def _hash(x: npt.NDArray[np.uint64], k: np.uint64, modulus: np.uint64) -> npt.NDArray[np.uint64]:
    """A number in range(modulus) for each x: the finaliser of MurmurHash3, its top 32 bits scaled to the range without a division."""
    h = x ^ k
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return ((h >> np.uint64(32)) * modulus) >> np.uint64(32)
