"""The truth of a run, measured as it trains from fresh samples, and the names that it deserves.

Nothing here reads a check or a verdict, and no check reads this: reals are fresh draws of the density where it is known, else the test
part; noise is fresh; and likeness is counted in cells
that halve the reals again and again, where checks ask nearest neighbours.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from zerosum.chance import generator
from zerosum.data.density import Density
from zerosum.data.source import Data
from zerosum.game.prior import PRIORS
from zerosum.measure.memorisation import comparable, memorisation
from zerosum.monitor.discriminator import separation
from zerosum.play.config import Config
from zerosum.play.players import Players

N = {"points": 2000, "images": 700}  # samples a side
FINE, COARSE = 7, 5  # halvings: 128 and 32 cells of as many reals each
AXES = 8  # principal components by which images are halved
SEARCHED = 2000  # training items, at most, among which copies are looked for


class Halves:
    """2^FINE cells, each with as many of the rows (n, d) that they were made from: halved at the median of the widest axis, in turn."""

    def __init__(self, rows: Tensor) -> None:
        self.axis, self.cut = [torch.zeros(2**level, dtype=torch.long) for level in range(FINE)], [torch.zeros(2**i) for i in range(FINE)]
        cell = torch.zeros(len(rows), dtype=torch.long)
        for level in range(FINE):
            for i in range(2**level):
                inside = rows[cell == i]
                if not len(inside):  # Rows that are all alike cannot be halved.
                    continue
                axis = int((inside.amax(0) - inside.amin(0)).argmax())
                self.axis[level][i], self.cut[level][i] = axis, inside[:, axis].median()
            cell = self._down(rows, cell, level)

    def _down(self, rows: Tensor, cell: Tensor, level: int) -> Tensor:
        beyond = rows.gather(1, self.axis[level][cell][:, None])[:, 0] > self.cut[level][cell]
        return 2 * cell + beyond.long()

    def shares(self, rows: Tensor) -> Tensor:
        """Shares of the cells, (2^FINE,)."""
        cell = torch.zeros(len(rows), dtype=torch.long)
        for level in range(FINE):
            cell = self._down(rows, cell, level)
        return torch.bincount(cell, minlength=2**FINE).double() / len(rows)


def coarse(shares: Tensor) -> Tensor:
    return shares.view(2**COARSE, -1).sum(1)


def jsd(p: Tensor, q: Tensor) -> float:
    """JSD in nats of two laws on cells: at most that of the samples, for cells tell less than what is in them."""
    m = (p + q) / 2
    return float((torch.xlogy(p, p / m).nan_to_num().sum() + torch.xlogy(q, q / m).nan_to_num().sum()) / 2)


def variation(p: Tensor, q: Tensor) -> float:
    return float((p - q).abs().sum()) / 2


class Truth:
    """The looks of one run. series: a row of facts a look."""

    def __init__(self, data: Data, config: Config, density: Density | None = None) -> None:
        """density: what the data were drawn from, where that is known: then reals are fresh draws of it."""
        self.data, self.config, self.series = data, config, list[dict[str, Any]]()
        self._n = N[data.space.kind]
        made, self.real = (
            reals(data, n, purpose) if density is None else density.sample(n, generator(7, purpose))
            for n, purpose in ((8000, "cells"), (self._n, "truth"))
        )
        self._project = projection(rows(data, made)) if data.space.kind == "images" else None
        self._cells = Halves(self._rows(made))
        self._of_reals = self._cells.shares(self._rows(made))
        self._floor = self._apart(self._cells.shares(self._rows(self.real)))
        self._z = PRIORS[config.prior.kind]((self._n, config.prior.dim), 999, "truth", 0)
        self._density = density
        self._reach = reach(self._rows(self.real)) if density is None else 0.0
        # A little below: where a density is the same everywhere, no sample is likelier than another.
        self._likely = math.nan if density is None else float(density.log_prob(self.real).quantile(0.02)) - 1e-6
        self._before: Tensor | None = None
        self._asked = 0

    def due(self, last: bool) -> bool:
        """Whether this check is one of those at which the truth is taken: every other one, and the last."""
        self._asked += 1
        return last or self._asked % 2 == 1

    def _rows(self, raw: Tensor) -> Tensor:
        found = rows(self.data, raw)
        return found if self._project is None else found @ self._project

    def _apart(self, shares: Tensor) -> float:
        return jsd(shares, self._of_reals)

    @torch.no_grad()
    def look(self, players: Players, samples: int) -> None:
        """Takes the facts of this moment. The players are left as they were."""
        facts: dict[str, Any] = {"samples": samples, "finite": False}
        self.series.append(facts)
        average = players.ema.module
        training = [m.training for m in (players.G, players.D)]
        players.G.eval(), players.D.eval()
        y, smooth = players.G(self._z), average(self._z) if self.config.average else None
        if bool(torch.isfinite(y).all()) and (smooth is None or bool(torch.isfinite(smooth).all())):
            facts |= {"finite": True} | self._of_D(players, y) | self._of_G(y, y if smooth is None else smooth)
        players.G.train(training[0]), players.D.train(training[1])

    def _of_D(self, players: Players, y: Tensor) -> dict[str, Any]:
        encode = self.data.space.encode
        train = self.data.train.head(min(self._n, self.data.train.size or self._n))
        logits = [players.D(x).flatten().double() for x in (encode(train), encode(self.real), y)]
        if not all(bool(torch.isfinite(a).all()) for a in logits):
            return {"finite": False}
        seen = separation(*logits)
        return {"auc": seen["auc_val"], "own": math.log(2) - seen["cross_entropy_val"], "gap": seen["auc_gap"] - 0.5}

    def _of_G(self, y: Tensor, smooth: Tensor) -> dict[str, Any]:
        facts: dict[str, Any] = {"burst": float(y.flatten(1).abs().median(0).values.max())}
        if facts["burst"] > 1e6:
            return facts
        raw, even = self.data.space.decode(y), self.data.space.decode(smooth)
        p, q = (self._cells.shares(self._rows(x)) for x in (raw, even))
        facts |= {"jsd_G": max(0.0, self._apart(p) - self._floor), "jsd": max(0.0, self._apart(q) - self._floor)}
        fair = coarse(self._of_reals)
        facts["lost"] = float((coarse(p) < fair / 5).double().mean())
        facts["lost_average"] = float((coarse(q) < fair / 5).double().mean())
        facts["kinds"] = math.exp(-float(torch.xlogy(p, p).sum())) / 2**FINE
        facts["spread"] = float(y.flatten(1).std(0).norm() / self.data.space.encode(self.real).flatten(1).std(0).norm())
        facts["likely"] = self._where_reals_are(raw)
        facts["wander"] = None if self._before is None else variation(coarse(p), self._before)
        self._before = coarse(p)
        if self.data.train.size is not None and self.data.train.size <= SEARCHED:
            of = [self._rows(x) for x in (even[:500], self.real, self.data.train.head(self.data.train.size))]
            facts |= {reading.name: reading.value for reading in memorisation(*of)}
        return facts

    def _where_reals_are(self, raw: Tensor) -> float:
        """The share of fakes likelier than one real in fifty; without a density, nearer to a real than all but one real in fifty."""
        if self._density is not None:
            return float((self._density.log_prob(raw) > self._likely).double().mean())
        nearest = torch.cdist(self._rows(raw), self._rows(self.real)).amin(1)
        return float((nearest < self._reach).double().mean())


def reach(rows: Tensor) -> float:
    """The distance from a row to its nearest other one, which all but one in fifty have."""
    distances = torch.cdist(rows, rows)
    distances[distances == 0] = math.inf  # A real that was drawn twice is not its own neighbour.
    return float(distances.amin(1).quantile(0.98))


def rows(data: Data, raw: Tensor) -> Tensor:
    return data.space.encode(raw) if data.space.kind == "points" else comparable(raw)


def projection(x: Tensor) -> Tensor:
    """The first principal axes of rows (n, d), as columns."""
    found: Tensor = torch.linalg.eigh(torch.cov(x.T))[1][:, -AXES:]  # It sorts by the least first.
    return found


def reals(data: Data, n: int, purpose: str) -> Tensor:
    """Held-out reals, drawn again and again where there are few: only their law counts."""
    held = torch.cat([part.head(part.size or 0) for part in (data.test, data.validation)])
    return held[torch.randint(len(held), (n,), generator=generator(7, purpose))]
