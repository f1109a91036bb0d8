"""Densities that a user writes down: a mixture as a formula, a drawing as a list of points."""

from __future__ import annotations

import re

import torch

from zerosum.data.density import Mixture, mixture
from zerosum.errors import Refusal

MIXTURE, DRAWN = "mixture:", "drawn:"
MOST_DRAWN = 1000  # points of a drawing

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TERM = re.compile(rf"(?:({_NUMBER})\*)?N\(({_NUMBER}),({_NUMBER})\)")


def parse_mixture(text: str) -> Mixture:
    """Parse a 1-D mixture such as "0.3*N(-2,0.5)+0.7*N(1,0.2)": weight*N(mean,standard deviation), terms joined by +.

    A single term needs no weight. Raises Refusal for other text, and for a density that does not integrate to one.
    """
    terms = [_TERM.fullmatch(term) for term in re.split(r"(?<=\))\+", re.sub(r"\s", "", text))]
    read = [t for t in terms if t is not None and (t[1] or len(terms) == 1)]
    if len(read) < len(terms):
        raise Refusal(f"The mixture {text!r} cannot be read: write weight*N(mean,std) joined by +, for example 0.3*N(-2,0.5)+0.7*N(1,0.2).")
    weights = [float(t[1] or 1) for t in read]
    means, stds = [float(t[2]) for t in read], [float(t[3]) for t in read]
    if min(stds) <= 0:
        raise Refusal(f"The mixture {text!r} has a standard deviation of {min(stds):g}: each must be above 0.")
    if not max(1e-12, 1e-6 * max(map(abs, means))) <= min(stds) <= max(stds) <= 1e12:
        raise Refusal(f"The mixture {text!r} is beyond 32-bit numbers: give stds from 1e-12 to 1e12, each above a millionth of any mean.")
    if min(weights) <= 0 or abs(sum(weights) - 1) > 1e-6:
        raise Refusal(f"The mixture {text!r} is a density that does not integrate to one: its weights must be positive with sum 1.")
    return mixture(weights, means, stds)


_POINT = re.compile(rf"({_NUMBER}),({_NUMBER})")


def parse_drawn(text: str) -> Mixture:
    """Parse a drawing in the plane such as "0.05@-0.4,0.2;-0.38,0.25": a standard deviation, and the points of the line that was drawn.

    Each point is a round Gaussian of that standard deviation, all of equal weight. Raises Refusal for other text.
    """
    width, _, places = re.sub(r"\s", "", text).partition("@")
    points = [_POINT.fullmatch(place) for place in places.split(";")]
    read = [(float(p[1]), float(p[2])) for p in points if p is not None]
    if len(read) < len(points) or not re.fullmatch(_NUMBER, width):
        raise Refusal(f"The drawing {text[:60]!r} cannot be read: write sigma@x,y;x,y;..., for example 0.05@-0.4,0.2;-0.38,0.25.")
    if not 1e-3 <= float(width) <= 10 or len(read) > MOST_DRAWN or max(abs(c) for point in read for c in point) > 100:
        raise Refusal(f"A drawing has a sigma from 0.001 to 10, and 1 to {MOST_DRAWN:,} points within 100 of the origin.")
    means, ones = torch.tensor(read, dtype=torch.float64), torch.ones(len(read), dtype=torch.float64)
    return Mixture(ones / len(read), means, ones * float(width), curve=True)


def parse_written(spec: str) -> Mixture | None:
    """The density that a name such as "mixture:..." or "drawn:..." writes down; None where it is another name. Raises Refusal."""
    if spec.startswith(MIXTURE):
        return parse_mixture(spec.removeprefix(MIXTURE))
    return parse_drawn(spec.removeprefix(DRAWN)) if spec.startswith(DRAWN) else None
