"""zerosum evaluate: compare a run's samples with its held-out data, or any set of samples with any other."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from zerosum.commands.flags import parse, positional, short
from zerosum.commands.terminal import tell
from zerosum.data.options import DataOptions
from zerosum.errors import Refusal

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
        classes = [score.to_json() for score in scores.classes]
        about = {"target": args.target, "against": args.against, "seed": args.seed}
        print(json.dumps({**about, "scores": [score.to_json() for score in scores], "classes": classes}, allow_nan=False))
    else:
        from zerosum.api.scores import class_table, table

        # Other features than zerosum's choice change every number.
        unasked = "; chosen because its weights are on this machine (--features fresh uses a new classifier instead)"
        tell(f"{args.target} compared with {args.against or 'its held-out test part'}", "")
        print(table(scores, unasked if args.features == "auto" and args.weights is None else ""))
        if scores.classes:
            print(f"\n{class_table(scores.classes)}")
    sys.stdout.flush()
    return 0
