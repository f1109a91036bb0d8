"""zerosum evaluate: compare a run's samples with its held-out data, or any set of samples with any other."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zerosum.commands.flags import parse, positional, short
from zerosum.commands.terminal import tell
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal, printable

if TYPE_CHECKING:
    from zerosum.measure.score import Score

EXAMPLES = """\
  zerosum evaluate runs/digits
  zerosum evaluate runs/digits --json
  zerosum evaluate generated.npy --against photos/ --data.size 64
  zerosum evaluate generated/ --against photos/ --features inception
"""


@dataclass(frozen=True)
class Evaluate:
    """Compare a run's samples with the held-out test part of its data, or the set TARGET with the set --against. Prints every measure that
    applies, with its 95 % interval and the score of as many real samples, which is the best that a generator can reach."""

    target: str = positional("TARGET")
    """A run's folder; or, with --against, a path or name of samples made by any tool."""
    against: str | None = None
    """The real samples: a path or a name. For named data this is their test part."""
    n: int | None = short("-n", None)
    """Most samples to compare on each side; by default 10,000."""
    seed: int = 0
    """Random seed of the run's samples."""
    features: Literal["auto", "digits", "inception", "fresh"] = "auto"
    """Features in which images are compared. digits: of the digit classifier. inception: of the Inception network of 2015, as in published
    Frechet distances (FID); its 96 MB of weights are downloaded if needed. fresh: of a classifier trained for this comparison. auto: the
    first that suits the data and needs no download."""
    weights: Path | None = None
    """The Inception network's weights, pt_inception-2015-12-05-6726825d.pth; by default the file named by ZEROSUM_INCEPTION, zerosum's own
    copy, or torch hub's."""
    json: bool = False
    """Print one JSON object and nothing else."""
    data: DataOptions = field(default_factory=DataOptions)


def main(argv: Sequence[str]) -> int:
    args = parse(Evaluate, argv, prog="zerosum evaluate", examples=EXAMPLES)
    if args.against is None and args.data != DataOptions():
        raise Refusal("A run's data are read with the options of its training: leave out the --data options, or give --against.")
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
        tell(f"{args.target} compared with {args.against or 'its held-out test part'}", "")
        print(table(scores, unasked=args.features == "auto" and args.weights is None))
    sys.stdout.flush()
    return 0


def table(scores: Sequence[Score], unasked: bool = False) -> str:
    """The scores in columns, one measure per line, with its meaning; then details of the features, and why measures are missing, each
    sentence once. unasked: whether zerosum chose the features."""
    rows = [("measure", "value", "95 % interval", "real data", "samples", "features", "meaning")]
    for s in scores:
        if not s.refused:
            n = f"{s.n}/{s.n_real}" if s.n != s.n_real else str(s.n)
            rows.append((s.name, _short(s.value), f"{_short(s.low)} to {_short(s.high)}", _short(s.floor), n, _name(s), _meaning(s.name)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]
    hint = "; chosen because its weights are on this machine (--features fresh uses a new classifier instead)" if unasked else ""
    told = sorted({s.features for s in scores if not s.refused and s.features != _name(s)})
    whose = {s.note: [t.name for t in scores if t.refused and t.note == s.note] for s in scores if s.refused}
    lines += [f"features: {label} (generated/real){hint}" for label in told]
    lines += [f"{', '.join(names)}: {note}" for note, names in whose.items()]
    return "\n".join(map(printable, lines))


def _meaning(name: str) -> str:
    from zerosum.measure import QUANTITIES
    from zerosum.report.words import DIRECTIONS

    return f"{DIRECTIONS[QUANTITIES[name].better].capitalize()}. {QUANTITIES[name].meaning}"


def _name(score: Score) -> str:
    """Name and hash of the features; details are on a line of their own."""
    name, colon, rest = score.features.partition(":")
    return name + colon + rest.partition(" ")[0]


def _short(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"
