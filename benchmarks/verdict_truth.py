"""The truth of a run, measured from fresh samples when it has been trained: facts, and the names that they deserve.

Nothing here reads a check or a verdict. Where the density is known, reals are fresh draws of it; else they are the test part.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.source import Data
from zerosum.game.prior import PRIORS
from zerosum.measure.divergence import jsd_bound
from zerosum.measure.manifold import manifold
from zerosum.measure.memory import memory
from zerosum.run import checkpoint as checkpoints
from zerosum.run import trainer
from zerosum.run.contrast import contrast
from zerosum.run.folder import Run

N = 3000  # samples a side
NEAREST = 1500  # for nearest neighbours
BINS = 12  # an axis, for variety and drift
HOPS, HOP = 4, 80  # times that the game is played on, and for how many rounds each


def measure(run: Run, data: Data) -> dict[str, Any]:
    """facts: numbers; names: the states that they deserve, none for a healthy run."""
    stop = run.rows("stop")[-1]
    facts: dict[str, Any] = {"reason": stop["reason"], "finite": stop["reason"] != "not finite"}
    if facts["finite"]:
        facts |= _facts(run, data)
    return {**facts, "names": names(facts)}


def _facts(run: Run, data: Data) -> dict[str, Any]:
    players = run.players()
    prior = run.config.prior
    space = data.space
    z = PRIORS[prior.kind]((N, prior.dim), 999, "truth", 0)
    real = reals(data, N)
    with torch.no_grad():
        players.G.eval(), players.D.eval()
        y = players.G(z)
        fake, smooth = space.decode(y), space.decode(players.average.module(z))
        if not bool(torch.isfinite(fake).all()):
            return {"finite": False}
        train = data.train.head(N)
        logits = [players.D(space.encode(x)).flatten().double() for x in (train, real)]
        seen = contrast(logits[0], logits[1], players.D(y).flatten().double())
    facts: dict[str, Any] = {f"D_{name}": seen[name] for name in ("auc_val", "auc_train", "auc_gap", "cross_entropy_val")}
    facts["burst"] = float((space.encode(fake).abs().median(0).values).max())
    if facts["burst"] > 1e6:
        return facts
    bound = jsd_bound(fake, real)
    facts["jsd_G"], facts["jsd_G_low"] = bound.estimate, bound.asymptotic
    facts["jsd"] = jsd_bound(smooth, real).estimate if run.config.average else facts["jsd_G"]
    for who, x in (("G", fake), ("average", smooth)):
        for reading in manifold(space.encode(x)[:NEAREST], space.encode(real)[:NEAREST]):
            facts[f"{who}_{reading.name}"] = reading.value
        facts[f"{who}_missing"] = float((histogram(x, data) - histogram(real, data)).abs().sum() / 2)
    facts["start_jsd"] = _at_start(run, data, z, real)
    if data.train.size is not None:
        rows = [
            space.encode(x)
            for x in (
                smooth[:NEAREST],
                torch.cat([p.head(p.size or 0) for p in (data.test, data.validation)]),
                data.train.head(data.train.size),
            )
        ]
        facts |= {reading.name: reading.value for reading in memory(*rows)}
    facts["wandering"] = wandering(run, data, z)
    return facts


def reals(data: Data, n: int) -> Tensor:
    if data.density is not None:
        return data.density.sample(n, generator(7, "truth"))
    # Drawn again and again where there are few: only their law counts.
    held = torch.cat([part.head(part.size or 0) for part in (data.test, data.validation)])
    return held[torch.randint(len(held), (n,), generator=generator(7, "truth"))]


def histogram(x: Tensor, data: Data) -> Tensor:
    """Shares of BINS cells an axis over the middle of the data."""
    y = data.space.encode(x)[:, :2].clamp(-2.4, 2.4)
    index = ((y + 2.4) / 4.8 * BINS).long().clamp(0, BINS - 1)
    flat = index[:, 0] if y.shape[1] == 1 else index[:, 0] * BINS + index[:, 1]
    return torch.bincount(flat, minlength=BINS**2).double() / len(x)


def _at_start(run: Run, data: Data, z: Tensor, real: Tensor) -> float:
    """The bound of the untrained G, from the run's first weights, which its seed decides: what "has not moved" is compared with."""
    first = checkpoints.listed(run.path)[0]
    found = checkpoints.verified(first)
    if found.round != 0:
        return math.nan
    players = run.players()
    players.restore(found, moments=False)
    with torch.no_grad():
        fake = data.space.decode(players.G.eval()(z))
    return jsd_bound(fake, real).estimate


def wandering(run: Run, data: Data, z: Tensor) -> float:
    """Mean total variation between G's histograms as the run is played on for HOPS hops: it ends here, its facts have been taken."""
    seen = []
    for _ in range(HOPS):
        with torch.no_grad():
            seen.append(histogram(data.space.decode(run.players().G.eval()(z)), data))
        samples = run.checkpoint().meta["samples"]
        try:
            trainer.resume(run.path, samples=samples + HOP * run.config.batch * run.config.game.k, data=data, given=run.given)
        except RuntimeError:
            return math.nan
    return sum(float((a - b).abs().sum() / 2) for a, b in pairwise(seen)) / (HOPS - 1)


# What a state means, in facts. Each is judged by itself: a run may deserve several names, and any of them is right.
def names(f: dict[str, Any]) -> list[str]:
    """The names that the facts deserve; [] for a run that was not harmed."""
    if not f["finite"] or f.get("burst", 0) > 30:
        return ["diverged"]
    found: list[str] = []
    own = math.log(2) - f["D_cross_entropy_val"]
    harmed = f["jsd_G"] > 0.15
    variety = f["G_missing"] > 0.4 and f["average_missing"] > 0.3
    if variety and f["G_recall"] < 0.5 and harmed:
        found.append("collapsing")
    if harmed and f["jsd_G_low"] > 0.1 and (own < 0.2 * f["jsd_G"] or f["D_auc_val"] < 0.55):
        found.append("D blind")
    if f["D_auc_val"] > 0.98 and f["jsd"] > 0.35:
        found.append("discriminator winning")
    if f["jsd_G"] > 0.25 and f["wandering"] > 0.35:
        found.append("oscillating")
    if f["D_auc_gap"] > 0.62 and f["jsd_G"] > 0.1:
        found.append("overfitting")
    if f.get("memory_held_out", 1.0) < 0.55 and f.get("memory_copies", 0.0) > 0.6:
        found.append("memorising")
    if f["jsd"] > 0.35:
        found.append("stalled")
    return found
