"""How often the verdict is right: records short runs on points, healthy and broken on purpose, and reads their verdicts from the records.

    python benchmarks/verdict.py record --out FOLDER [--limit N]    # trains what FOLDER does not hold yet, one run at a time
    python benchmarks/verdict.py table --out FOLDER [--half calibration|test|both]

A run is a way (of breaking, or none), a data set and a seed. Its truth is measured when it has been trained, from fresh samples and before
any verdict is read (`benchmarks/verdict_truth.py`): a run that was not harmed counts as healthy, whatever was done to it. Thresholds may be
chosen on the calibration half alone; the halves are divided by way and data set, never by seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from verdict_truth import measure

from zerosum import api
from zerosum.chance import generator, key
from zerosum.data.density import DENSITIES
from zerosum.measure.score import wilson
from zerosum.nets.mlp import Discriminator, Generator
from zerosum.verdict import verdict
from zerosum.verdict.states import STATES, TROUBLES

SAMPLES = 256_000
BASE: dict[str, Any] = {"batch": 128, "net.width": 64, "net.depth": 2, "prior.dim": 8, "d.lr_end": None, "g.lr_end": None, "threads": 1}
PLAIN: dict[str, Any] = {"game.value": "non_saturating", "game.penalty": "none"}
DATA = ("ring8", "grid25", "moons", "spiral", "gaussian", "bimodal", "checkerboard", "uniform")
# name -> the density and how many of its points are kept: data that end, and that can be learned by heart.
STORED = {
    "moons-600": ("moons", 600),
    "ring8-1500": ("ring8", 1500),
    "gaussian-100": ("gaussian", 100),
    "checkerboard-120": ("checkerboard", 120),
}


class Way(NamedTuple):
    """knobs: what differs from BASE. data: on which data. D, G: a part of the player's that is replaced; see `players`."""

    knobs: dict[str, Any]
    data: tuple[str, ...] = DATA
    odd: str = ""


GAMES: dict[str, dict[str, Any]] = {
    **{f"relativistic {p}": {"game.value": "relativistic", "game.penalty": p} for p in ("r1", "r1r2")},
    **{f"{v} r1": {"game.value": v, "game.penalty": "r1"} for v in ("minimax", "non_saturating", "least_squares", "hinge")},
    "wasserstein gp": {"game.value": "wasserstein", "game.penalty": "gp", "game.gamma": 10.0, "game.k": 3},
    "non_saturating plain": {**PLAIN, "d.lr": 2e-4, "g.lr": 2e-4, "d.beta1": 0.5, "g.beta1": 0.5},
}
NETS: dict[str, dict[str, Any]] = {
    "leaky": {},
    "relu": {"net.activation": "relu"},
    "tanh": {"net.activation": "tanh"},
    "prelu, uniform": {"net.activation": "prelu", "prior.kind": "uniform"},
    "maxout": {"net.activation": "maxout"},
    "dropout": {"net.dropout": 0.2},
    "no average": {"average": 0.0},
}
ENDING = ("moons-600", "ring8-1500")
TINY = ("gaussian-100", "checkerboard-120")
WAYS: dict[str, Way] = {
    **{f"healthy {g}": Way(knobs) for g, knobs in GAMES.items()},
    **{f"healthy {n}": Way({**GAMES["relativistic r1r2"], **knobs}) for n, knobs in NETS.items()},
    "healthy stored": Way(GAMES["relativistic r1r2"], ENDING),
    # D cannot see.
    "D stands still": Way({**PLAIN, "d.lr": 0.0}),
    "D creeps": Way({**PLAIN, "d.lr": 1e-7}),
    "D sees one coordinate": Way({**PLAIN}, ("ring8", "grid25", "moons", "spiral"), "half"),
    "labels flipped": Way({**PLAIN}, DATA, "flipped"),
    # D is too strong.
    "G creeps": Way({**PLAIN, "g.lr": 1e-7, "d.lr": 2e-3}),
    "G creeps, minimax": Way({**PLAIN, "game.value": "minimax", "g.lr": 1e-5, "d.lr": 3e-3, "game.k": 4}),
    "D far ahead": Way({**PLAIN, "game.value": "minimax", "game.k": 8, "d.lr": 5e-3, "g.lr": 2e-5}),
    # G has no variety.
    "Helvetica": Way({**PLAIN, "game.g_steps": 12, "d.lr": 1e-4, "g.lr": 1e-3}),
    "Helvetica, minimax": Way({**PLAIN, "game.value": "minimax", "game.g_steps": 20, "d.lr": 2e-4, "g.lr": 1e-3, "average": 0.0}),
    "noise forgotten": Way({**GAMES["relativistic r1r2"]}, ("ring8", "grid25", "moons", "bimodal"), "constant"),
    "hinge, hot": Way({"game.value": "hinge", "game.penalty": "none", "g.lr": 5e-3, "d.lr": 1e-3}),
    # G does not get there.
    "G stands still": Way({**GAMES["relativistic r1r2"], "g.lr": 0.0}),
    "both stand still": Way({**PLAIN, "g.lr": 0.0, "d.lr": 0.0}),
    "G one unit wide": Way({**GAMES["relativistic r1r2"]}, ("ring8", "grid25", "moons", "checkerboard"), "narrow"),
    "penalty crushes": Way({**GAMES["relativistic r1r2"], "game.gamma": 3e4}),
    # They run in circles.
    "simultaneous": Way({"game.value": "wasserstein", "game.penalty": "none", "game.order": "simultaneous", "d.lr": 1e-3, "g.lr": 1e-3}),
    "momentum": Way({**PLAIN, "d.beta1": 0.95, "g.beta1": 0.95, "d.lr": 3e-3, "g.lr": 3e-3, "average": 0.0}),
    "wasserstein bare": Way({"game.value": "wasserstein", "game.penalty": "none", "d.lr": 2e-3, "g.lr": 2e-3, "average": 0.0}),
    # D knows its reals; G copies them.
    "few reals": Way({**PLAIN, "net.width": 128, "net.depth": 3, "d.lr": 2e-3, "g.lr": 5e-4}, TINY),
    "few reals, k": Way({**PLAIN, "game.k": 4, "net.width": 256, "d.lr": 1e-3, "g.lr": 2e-4}, TINY),
    "few reals, long": Way({**GAMES["relativistic r1r2"], "game.gamma": 0.01, "net.width": 256}, TINY),
    # Numbers burst.
    "rates of one": Way({**PLAIN, "d.lr": 3.0, "g.lr": 3.0}),
    "least squares bursts": Way({"game.value": "least_squares", "game.penalty": "r1", "d.lr": 5.0, "g.lr": 5.0}),
    "critic unbound": Way({"game.value": "wasserstein", "game.penalty": "none", "d.lr": 0.5, "g.lr": 0.1, "average": 0.0}),
}


class Plan(NamedTuple):
    way: str
    data: str
    seed: int

    @property
    def name(self) -> str:
        return "-".join([self.way.replace(" ", "_").replace(",", ""), self.data, str(self.seed)])

    @property
    def half(self) -> str:
        """By a hash of way and data set, so that a run of another seed is in the same half."""
        return ("calibration", "test")[blake2b(f"{self.way}/{self.data}".encode(), digest_size=1).digest()[0] % 2]


def plans() -> Iterator[Plan]:
    """Every way on every data set that it has, in an order in which any first part is a fair sample; seeds without end."""
    for seed in range(100):
        pairs = [(way, data) for way, row in WAYS.items() for data in row.data]
        pairs.sort(key=lambda pair: key(seed, f"{pair[0]}/{pair[1]}"))
        yield from (Plan(way, data, seed) for way, data in pairs)


# -- players that no knob makes ---------------------------------------------------------------------------------------------


class Half(Discriminator):
    """Sees the first coordinate alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.cat([x[:, :1], torch.zeros_like(x[:, 1:])], 1))


class Constant(Generator):
    """Hardly looks at its noise."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z * 0.02)


def players(odd: str, dim: int, config: dict[str, Any], seed: int) -> tuple[nn.Module, nn.Module] | None:
    """(G, D) with one of them odd; None where knobs do."""
    if not odd:
        return None
    net = {"width": config["net.width"], "depth": config["net.depth"], "activation_name": "leaky_relu", "slope": 0.2}
    with torch.random.fork_rng():
        torch.manual_seed(key(seed, "benchmark"))
        G = (Constant if odd == "constant" else Generator)(
            (dim,), config["prior.dim"], **{**net, **({"width": 1} if odd == "narrow" else {})}
        )
        D = (Half if odd == "half" else Discriminator)((dim,), **net)
    if odd == "flipped":
        # Its gradient points the other way: what it learns are flipped labels.
        for weight in D.parameters():
            weight.register_hook(torch.neg)  # type: ignore[no-untyped-call]
    return G, D


# -- recording --------------------------------------------------------------------------------------------------------------


def record(plan: Plan) -> dict[str, Any]:
    """Trains one run and measures its truth."""
    way = WAYS[plan.way]
    config = {**BASE, **way.knobs}
    name, count = STORED.get(plan.data, (plan.data, 0))
    density = DENSITIES[name]()
    source: Any = density.sample(count, generator(0, f"benchmark/{plan.data}")) if count else name
    given = players(way.odd, density.dim, config, plan.seed)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        began = time.process_time()
        G, D = given or (None, None)
        run = api.train(source, samples=SAMPLES, out=out, knobs={**config, "seed": plan.seed}, generator=G, discriminator=D)
        spent = time.process_time() - began
        rows = [row for row in run.rows() if row["type"] in ("start", "check", "stop")]
        truth = measure(run, api.open_data(source))
    return {"plan": plan._asdict(), "manifest": {"config": run.manifest["config"]}, "rows": rows, "truth": truth, "cpu": round(spent, 2)}


def record_all(out: Path, limit: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    made = 0
    for plan in plans():
        file = out / f"{plan.name}.json"
        if made >= limit:
            return
        if file.exists():
            continue
        found = record(plan)
        if found["truth"]["reason"] == "interrupted":
            return
        temporary = file.with_suffix(".partial")
        temporary.write_text(json.dumps(found))
        temporary.rename(file)
        made += 1
        print(f"{plan.name}: {found['cpu']} s, {found['truth']['names']}", flush=True)


# -- reading ----------------------------------------------------------------------------------------------------------------


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """A recorded run's truth beside its verdict: names, told, trouble at which share of the run, and whether that is right."""
    told = verdict(found["rows"], found["manifest"]["config"])
    names = found["truth"]["names"]
    cries = [row for row in told.history if STATES[row["state"]].trouble]
    return {
        "name": Plan(**found["plan"]).name,
        "half": Plan(**found["plan"]).half,
        "names": names,
        "told": told.state,
        "right": told.state in names if names else not told.trouble,
        "cried": bool(cries) or told.trouble,
    }


def share(hits: int, of: int) -> str:
    low, high = wilson(hits / of, of) if of else (0.0, 1.0)
    return f"{hits} of {of} ({100 * hits / max(of, 1):.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} %)"


def table(out: Path, half: str) -> str:
    """The confusion matrix of the runs in `out` that belong to `half`, and the two shares that are asked for, with Wilson intervals.

    A broken run may deserve several names: it stands in the row of the one told, where that is among them, else of the first.
    """
    runs = [judged(json.loads(file.read_text())) for file in sorted(out.glob("*.json"))]
    runs = [run for run in runs if half in ("both", run["half"])]
    healthy, broken = [r for r in runs if not r["names"]], [r for r in runs if r["names"]]
    truths = ["healthy", *(state.name for state in TROUBLES)]
    counts = Counter((_row(run), run["told"]) for run in runs)
    columns = [name for name in STATES if any(counts[truth, name] for truth in truths)]
    lines = ["| truth | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for truth in truths:
        if any(counts[truth, name] for name in columns):
            lines.append(f"| {truth} | " + " | ".join(str(counts[truth, name] or "") for name in columns) + " |")
    lines += [
        "",
        f"broken runs with a right name at the end: {share(sum(r['right'] for r in broken), len(broken))}",
        f"healthy runs with trouble at any check: {share(sum(r['cried'] for r in healthy), len(healthy))}",
    ]
    wrong = [
        f"  {r['name']}: told {r['told']}, deserves {', '.join(r['names']) or 'none'}"
        for r in runs
        if not r["right"] or (not r["names"] and r["cried"])
    ]
    return "\n".join([*lines, *(["", "wrong, or cried on the way:", *wrong] if wrong else [])])


def _row(run: dict[str, Any]) -> str:
    if not run["names"]:
        return "healthy"
    return str(run["told"] if run["right"] else run["names"][0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=sys.maxsize)
    parser.add_argument("--half", choices=("calibration", "test", "both"), default="test")
    args = parser.parse_args()
    if args.what == "record":
        record_all(args.out, args.limit)
    else:
        print(table(args.out, args.half))
    return 0


if __name__ == "__main__":
    sys.exit(main())
