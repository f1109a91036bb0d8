"""The verdict on runs as people start them: complete runs of the default presets, common deviations and common mistakes.

    python benchmarks/verdict_used.py record --out FOLDER [--emoji ZIP] [--only WORD]     # trains what FOLDER lacks
    python benchmarks/verdict_used.py table --out FOLDER                                  # reads the verdicts and prints the tables

Whether a run ended well is decided by its final samples, with measures that the verdict does not read: for known densities modes, quality
and the weights of the modes; for points drawn from curves the chance that a nearest neighbour is of the same set; for images the Frechet
distance in the features of a classifier that is trained here on each data set's labels (image_distance.py). A run at the defaults counts as
healthy, however it ended: each trouble told at any of its checks is a false alarm. So does a deviation with good samples; one with bad
samples is listed alone. A mistake counts as broken where its samples are bad.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from image_distance import Judge, moments, opened, trained
from torch import Tensor

from zerosum.api.scoring import leave_scores, quick_scores
from zerosum.api.training import with_options
from zerosum.data.source import Data, open_data
from zerosum.measure.frechet import distance
from zerosum.measure.score import wilson
from zerosum.play.presets import default_preset, named
from zerosum.training import launch
from zerosum.verdict import verdict
from zerosum.verdict.diagnoses import DIAGNOSES

POINTS = ("ring8", "grid25", "moons", "spiral", "gaussian", "clusters")
IMAGES = ("mnist", "fashion-mnist", "emoji", "tinted", "glyphs")
SHORT, LONG = {"points": 300_000, "images": 25_600}, {"points": 1_000_000, "images": 76_800}


class Way(NamedTuple):
    """options: in place of the preset's. accepted: names that say what is wrong; none for a run that should be well. factors: options that
    are multiplied."""

    options: dict[str, Any]
    accepted: tuple[str, ...] = ()
    factors: Mapping[str, float] = MappingProxyType({})
    limit: int | None = None


def both(factor: float, who: str = "dg") -> dict[str, float]:
    return {f"{player}.{name}": factor for player in who for name in ("lr", "lr_end")}


NO_PENALTY = {"game.penalty": "none"}
BURSTS = ("diverged", "oscillation", "mode collapse", "stalled", "weak discriminator", "vanishing gradients")
WAYS: dict[str, Way] = {
    "default": Way({}),
    "rates / 3": Way({}, (), both(1 / 3)),
    "batch x 2": Way({}, (), {"batch": 2}),
    "k 2": Way({"game.k": 2}),
    "R1 alone": Way({"game.penalty": "r1"}),
    "late decay": Way({"decay": 0.5}),
    "rates x 30": Way({}, BURSTS, both(30)),
    "D creeps": Way({}, ("weak discriminator", "stalled", "mode collapse"), both(1e-4, "d")),
    "G creeps": Way({}, ("stalled", "vanishing gradients"), both(1e-4, "g")),
    "D far ahead": Way(
        {"game.value": "minimax", "game.k": 8, **NO_PENALTY}, ("vanishing gradients", "stalled", "mode collapse"), both(0.01, "g")
    ),
    "Helvetica": Way(
        {"game.value": "non_saturating", "game.g_steps": 20, **NO_PENALTY},
        ("mode collapse", "oscillation", "weak discriminator"),
        both(0.1, "d"),
    ),
    "penalty x 10,000": Way({}, ("weak discriminator", "stalled", "mode collapse"), {"game.gamma": 1e4, "game.gamma_end": 1e4}),
    "simultaneous, momentum": Way(
        {"game.value": "minimax", "game.order": "simultaneous", "d.beta1": 0.95, "g.beta1": 0.95, **NO_PENALTY}, BURSTS
    ),
    "few, no penalty": Way({**NO_PENALTY}, ("memorisation", "discriminator overfitting"), {}, 60),
}


class Plan(NamedTuple):
    way: str
    data: str
    seed: int
    length: str

    @property
    def file(self) -> str:
        return f"{self.way}, {self.data}, {self.length}, {self.seed}.json".replace("/", "by")


def plans() -> Iterator[Plan]:
    for data in (*POINTS, *IMAGES):
        points = data in POINTS
        yield from (Plan("default", data, seed, "short") for seed in range(4 if points else 2))
        yield from (Plan("default", data, seed, "long") for seed in range(10, 12 if points else 11))
        for way in list(WAYS)[1:]:
            if WAYS[way].limit is None or data not in ("ring8", "grid25", "gaussian"):
                yield Plan(way, data, 20, "short")


@cache
def material(name: str, emoji: Path | None) -> tuple[Data, Tensor | None, Tensor | None]:
    return opened(name, emoji) if name in IMAGES else (open_data(name), None, None)


@cache
def judge(name: str, emoji: Path | None) -> tuple[Judge, Any]:
    """The classifier of a data set, and the moments of its real images."""
    _, x, y = material(name, emoji)
    assert x is not None
    assert y is not None
    net, _ = trained(x, y)
    return net, moments(net, x[-4000:])


def truth(plan: Plan, emoji: Path | None, data: Data, run: Any) -> dict[str, float]:
    if plan.data in IMAGES:
        net, real = judge(plan.data, emoji)
        held, made = data.validation.head(1000), data.space.from_array(run.sample(1000, seed=7))
        return {"distance": distance(*moments(net, made), *real), "real": distance(*moments(net, held), *real)}
    return {row["name"]: row["value"] for row in quick_scores(data, lambda n: run.sample(n, seed=7), 10**6) if row["value"] is not None} | {
        f"real {row['name']}": row["floor"] for row in run.rows("score") if row["floor"] is not None
    }


def bad(data: str, found: dict[str, float]) -> bool:
    """Whether the final samples are bad: far from data in the judge's eyes, modes lost, or half of the samples off the modes."""
    if "distance" in found:
        return found["distance"] > 10 * found["real"] + 3
    if "modes" in found:
        if "real modes" not in found:  # So far off that the run has no scores.
            return True
        return found["modes"] < 0.9 * found["real modes"] or found["high_quality"] < 0.6 or found["mode_kl"] > 0.3
    if "coverage" not in found or "real coverage" not in found:  # Too far off to be measured.
        return True
    return found["coverage"] < 0.5 * found["real coverage"] or found["precision"] < 0.5 * found["real precision"]


def record(plan: Plan, emoji: Path | None) -> dict[str, Any]:
    way = WAYS[plan.way]
    data, x, _ = material(plan.data, emoji)
    kind = "images" if x is not None else "points"
    if way.limit is not None:
        data = open_data(x[: way.limit].movedim(1, 3).squeeze(3).numpy() if x is not None else data.train.head(way.limit).numpy())
    config = named(default_preset(data.space.kind, data.space.shape, lambda: bool(data.space.classes))).config
    plain = with_options(config, {"threads": 1, "seed": plan.seed, **way.options})
    now = {name: getattr(getattr(plain, name[0]), name[2:]) if name[1] == "." else None for name in way.factors}
    now |= {"batch": plain.batch, "game.gamma": plain.game.gamma, "game.gamma_end": plain.game.gamma_end}
    factors = {name: now[name] * factor for name, factor in way.factors.items() if now[name] is not None}
    config = with_options(plain, {name: int(v) if name == "batch" else v for name, v in factors.items()})
    samples, began = (LONG if plan.length == "long" else SHORT)[kind], time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = launch.train(data, Path(folder) / "run", config, samples=samples)
        if any(row["reason"] == "interrupted" for row in run.rows("stop")):
            raise SystemExit(f"{plan.file} was interrupted.")
        try:
            leave_scores(run, data, None)
            found = truth(plan, emoji, material(plan.data, emoji)[0], run)
        except Exception as error:  # A run whose samples are not numbers cannot be measured, and is bad.
            found = {"unmeasured": 1.0, "why": str(error)}  # type: ignore[dict-item]
        rows = [row for row in run.rows() if row["type"] in ("start", "check", "score", "stop")]
        return {"plan": plan._asdict(), "truth": found, "seconds": time.process_time() - began, "rows": rows}


# -- reading ----------------------------------------------------------------------------------------------------------------


def table(folder: Path) -> None:
    alarms, names, converged = defaultdict(list), defaultdict(list), []
    for file in sorted(folder.glob("*.json")):
        saved = json.loads(file.read_text())
        plan, found = Plan(**saved["plan"]), verdict(saved["rows"])
        is_bad = "unmeasured" in saved["truth"] or bad(plan.data, saved["truth"])
        kind, accepted = "images" if plan.data in IMAGES else "points", WAYS[plan.way].accepted
        told = [row["state"] for row in found.history if DIAGNOSES[row["state"]].trouble]
        measured = {name: value if isinstance(value, str) else round(value, 3) for name, value in saved["truth"].items()}
        shown = f"{file.stem}: {found.state}; told {sorted(set(told))}; truth {measured}"
        if found.state == "converged":
            converged.append((is_bad, shown))
        if not accepted and (plan.way == "default" or not is_bad):
            alarms[kind, plan.way].append(bool(told))
            if told or is_bad:
                print("  alarm " if told else "  bad   ", shown)
        elif not accepted:
            print("  a deviation with bad samples", shown)
        elif is_bad:
            names[kind, plan.way].append(found.state in (*accepted, *(["diverged"] if "unmeasured" in saved["truth"] else [])))
            if not names[kind, plan.way][-1]:
                print("  name  ", shown)
        elif told and DIAGNOSES[found.state].trouble:
            print("  well, told at its end", shown)
    for title, groups in (("Healthy: runs with an alarm at any check", alarms), ("Broken, with bad samples: right name at the end", names)):
        print(f"\n| {title} | runs | of them | 95 % interval |\n| --- | --- | --- | --- |")
        for group in [*groups, None]:
            hits = groups[group] if group else [hit for found in groups.values() for hit in found]
            low, high = wilson(sum(hits) / len(hits), len(hits)) if hits else (0.0, 1.0)
            print(f"| {', '.join(group) if group else 'all'} | {len(hits)} | {sum(hits)} | {low:.1%} to {high:.1%} |")
    print(f"\nCalled converged: {len(converged)}, with bad samples: {sum(is_bad for is_bad, _ in converged)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--emoji", type=Path)
    parser.add_argument("--only", default="", help="plans whose file's name contains this")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.what == "table":
        table(args.out)
        return
    todo = [p for p in plans() if args.only in p.file and not (args.out / p.file).exists() and (p.data != "emoji" or args.emoji)]
    for i, plan in enumerate(todo):
        saved = record(plan, args.emoji)
        (args.out / plan.file).write_text(json.dumps(saved))
        print(f"{i + 1} of {len(todo)}: {plan.file} {saved['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
