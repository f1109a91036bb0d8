"""zerosum evaluate: a run against its held-out data, or any set of samples against any other."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zerosum.commands.flags import parse, positional, short
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal

if TYPE_CHECKING:
    from zerosum.measure.score import Score

EXAMPLES = """\
  zerosum evaluate runs/digits
  zerosum evaluate runs/digits --json
  zerosum evaluate fakes.npy --against photos/ --data.size 64
  zerosum evaluate fakes/ --against photos/ --features inception
"""


@dataclass(frozen=True)
class Evaluate:
    """Measure a run's samples against the held-out test part of its data, or the set TARGET against the set --against: every measure that
    fits, each with its 95 % interval and its floor, what a perfect generator would get with as many samples."""

    target: str = positional("TARGET")
    """A run's folder; or, with --against, a path or name of samples made by any tool."""
    against: str | None = None
    """The reals: a path or a name. A name that has a test part means that part."""
    n: int | None = short("-n", None)
    """How many samples of each side, at most; by default 10,000."""
    seed: int = 0
    """Seed of the run's samples."""
    features: Literal["auto", "digits", "inception", "fresh"] = "auto"
    """Where images are compared: in the digit classifier's features; in those of the Inception network of 2015, in which Frechet distances
    are published (its 96 MB of weights are downloaded unless at hand); or in those of a discriminator fitted for the purpose. Unasked, the
    first that fits and is at hand."""
    weights: Path | None = None
    """The file of the Inception network's weights, pt_inception-2015-12-05-6726825d.pth; by default the one that ZEROSUM_INCEPTION names,
    zerosum's own copy, or torch hub's."""
    json: bool = False
    """One JSON object on standard output, and nothing else."""
    data: DataOptions = field(default_factory=DataOptions)


def main(argv: Sequence[str]) -> int:
    args = parse(Evaluate, argv, prog="zerosum evaluate", examples=EXAMPLES)
    if args.against is None and args.data != DataOptions():
        raise Refusal("A run's data are read as they were for its training: leave the --data knobs out, or give --against.")
    from zerosum import api
    from zerosum.report.progress import CountProgress

    scores = api.evaluate(
        args.target if args.against is not None else Path(args.target),
        args.against,
        n=args.n,
        seed=args.seed,
        features=args.features,
        weights=args.weights,
        options=args.data,
        progress=CountProgress(quiet=args.json),
    )
    if args.json:
        about = {"target": args.target, "against": args.against, "seed": args.seed}
        print(json.dumps({**about, "scores": [score.to_json() for score in scores]}, allow_nan=False))
    else:
        print(f"{args.target} against {args.against or 'its held-out test part'}\n")
        print(table(scores, unasked=args.features == "auto" and args.weights is None))
    sys.stdout.flush()
    return 0


def table(scores: Sequence[Score], unasked: bool = False) -> str:
    """The scores in columns, a measure a line, each with what it means; what features are, where a word does not say it; the refused ones
    last, each sentence once. unasked: nobody chose the features."""
    from zerosum.measure import QUANTITIES

    rows = [("measure", "value", "95 % interval", "perfect", "n", "features", "means")]
    for s in scores:
        if not s.refused:
            n = f"{s.n}/{s.n_real}" if s.n != s.n_real else str(s.n)
            rows.append(
                (s.name, _short(s.value), f"{_short(s.low)} to {_short(s.high)}", _short(s.floor), n, _name(s), QUANTITIES[s.name].meaning)
            )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]
    hint = "; its weights were at hand: --features fresh for a discriminator's" if unasked else ""
    told = sorted({s.features for s in scores if not s.refused and s.features != _name(s)})
    whose = {s.note: [t.name for t in scores if t.refused and t.note == s.note] for s in scores if s.refused}
    lines += [f"features {label} (fakes/reals){hint}" for label in told]
    lines += [f"{', '.join(names)}: {note}" for note, names in whose.items()]
    return "\n".join(lines)


def _name(score: Score) -> str:
    """Name and hash of the features; how they were taken stands in a line of its own."""
    name, colon, rest = score.features.partition(":")
    return name + colon + rest.partition(" ")[0]


def _short(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"
