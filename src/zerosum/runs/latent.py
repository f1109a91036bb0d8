"""What can be done with z and the class beside drawing them: walks through several samples, and arithmetic of mean vectors.

A class is given to G as its number, or as weights of all classes (N, classes): between two classes G is given the weighted mean of their
vectors (nets/conditioning.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.play.config import PriorOptions
from zerosum.runs.labels import class_number
from zerosum.runs.sampling import BLOCK, between, noise

EXEMPLARS = 16
"""Samples whose mean a class is, in arithmetic."""
AROUND = 0.5
"""Standard deviation of z around a sum, for its further samples; that of z itself is 1."""


def first_noise(prior: PriorOptions, seeds: Sequence[int]) -> Tensor:
    """The z of sample 0 of each seed, (seeds, dim)."""
    blocks = [PRIORS[prior.kind]((BLOCK, prior.dim), seed, "sample", 0)[:1] for seed in seeds]
    return torch.cat(blocks)


def loop(stops: Tensor, steps: int, normal: bool) -> Tensor:
    """A closed walk through z at `stops` (N, stops, dim): (N, steps, dim), evenly divided over the ways between two stops."""
    places = torch.arange(steps) * stops.shape[1] / steps
    whole = places.long()
    start, end = stops[:, whole], stops[:, (whole + 1) % stops.shape[1]]
    u = (places - whole).view(1, -1, 1)
    return between(start, end, u, normal)


@dataclass(frozen=True)
class Mix:
    """What arithmetic gives: z (dim,), and the weights of the classes (classes,); None for an unconditional G."""

    z: Tensor
    y: Tensor | None


def terms_of(spec: str) -> list[tuple[int, str]]:
    """The signed terms of "7 - 1 + 0" or "#3,#8 - #1 + #4": [(1, "7"), (-1, "1"), (1, "0")]. Raises Refusal."""
    pieces = re.split(r"\s+([+-])\s+", spec.strip())
    signs = [1, *(1 if sign == "+" else -1 for sign in pieces[1::2])]
    terms = [piece.strip() for piece in pieces[::2]]
    if not all(terms):
        raise Refusal(f'--mix {spec!r} cannot be read: write terms with " + " and " - " between them, such as "7 - 1 + 0" or "#3,#8 - #1".')
    return list(zip(signs, terms, strict=True))


def mixed(spec: str, prior: PriorOptions, classes: Sequence[str], seed: int) -> Mix:
    """Arithmetic of mean vectors (Radford et al. 2015, arXiv 1511.06434, section 6.3): each term is a mean over several samples.

    A term is a class (of a conditional G), whose mean z is that of EXEMPLARS samples of the seed; or samples by their numbers, #3,#8, as
    they are counted in a picture of this seed. Raises Refusal where there is no such class or sample.
    """
    z, y = torch.zeros(prior.dim), torch.zeros(len(classes)) if classes else None
    for sign, term in terms_of(spec):
        numbers = _samples(term)
        if numbers is None:
            if y is None:
                what = f"{term!r} in --mix is a class, and this run is unconditional"
                raise Refusal(f"{what}: name samples by their numbers in a picture of this seed, such as #3,#8.")
            y = y + sign * one_hot(torch.tensor(class_number(term, classes)), len(classes))
            z = z + sign * noise(prior, EXEMPLARS, seed).mean(0)
        else:
            z = z + sign * noise(prior, max(numbers) + 1, seed)[numbers].mean(0)
    if y is not None and float(y.sum()) == 0:
        raise Refusal(f"The classes in --mix {spec!r} cancel: a conditional run needs one left over, as in '7 - 1 + 0'.")
    return Mix(z, y)


def _samples(term: str) -> list[int] | None:
    """The numbers of "#3,#8,#12"; None for a class."""
    parts = [part.strip() for part in term.split(",")]
    if not all(part.startswith("#") for part in parts):
        return None
    if not all(part[1:].isdecimal() and int(part[1:]) < 1_000_000 for part in parts):
        raise Refusal(f"{term!r} in --mix names no samples: count them from #0, as in #3,#8.")
    return [int(part[1:]) for part in parts]
