"""An endless shuffled order in constant memory: a permutation of range(N) for each (seed, purpose, epoch), evaluated where it is needed.

A Feistel network (Luby and Rackoff 1988) on pairs (l, r) of Z_a x Z_b, a b just above N: each half-round adds to one half a hash of the
other, which can be undone, so the whole is a bijection whatever the hash. Positions that land at N or above walk on along their cycle
(Black and Rogaway 2002, section 3) until they land below.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isqrt

import numpy as np
import numpy.typing as npt

from zerosum.chance import key

Indices = npt.NDArray[np.int64]

# Four pass as random for large halves (Luby and Rackoff). For tiny data more are needed: over 30,000 keys the 720 orders of six items are
# visibly unequal after ten, and not after sixteen.
HALF_ROUNDS = 16
BLOCK = 4096
BLOCKS = 8  # that are kept

Block = Callable[[int, int, int, str, int], Indices]


def batch_order(n: int, size: int, seed: int, purpose: str, counter: int, block_of: Block | None = None) -> Indices:
    """Batch number `counter` of n items: positions counter n to counter n + n - 1 of an endless order, which shows each of `size` items
    once an epoch. Shape (n,), values in range(size).

    block_of: what to take in place of `block`, if something is to be made of whole blocks at once.
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
    """Positions number BLOCK to number BLOCK + BLOCK - 1 of an epoch's order, fewer in its last block."""
    return permuted(np.arange(number * BLOCK, min((number + 1) * BLOCK, size)), size, seed, purpose, epoch)


# numpy costs as much for 256 positions as for thousands, so they are worked out by the block and kept for the batches that follow.
_kept = lru_cache(BLOCKS)(block)


def permuted(positions: Indices, size: int, seed: int, purpose: str, epoch: int) -> Indices:
    """Where the permutation of range(size) of this (seed, purpose, epoch) sends `positions`. Shape as given. size below 2^62."""
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
    """A number in range(modulus) for each x: the finaliser of MurmurHash3, its top 32 bits scaled down rather than divided."""
    h = x ^ k
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return ((h >> np.uint64(32)) * modulus) >> np.uint64(32)
