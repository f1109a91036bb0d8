"""One look at a run in training: the numbers of a row of type "check" (docs/run-folder.md).

Nothing of the game is altered by it: its draws have purposes of their own, the players' buffers are put back, no gradient is taken, and the
process's own generators are left as they were.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.chance import key
from zerosum.data.density import Density
from zerosum.data.source import Data
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.measure.inputs import Modes
from zerosum.measure.modes import census
from zerosum.monitor.discriminator import LEAST, contrast
from zerosum.monitor.reference import Reference
from zerosum.nets import displacement_numbers
from zerosum.nets.elastic import widened
from zerosum.nets.traits import RANDOM, uses_batch_statistics
from zerosum.play.statistics import STATISTICS
from zerosum.play.step import Algorithm1
from zerosum.runs.sampling import default_widening
from zerosum.theory.optimum import line_jsd
from zerosum.theory.pushforward import pushforward

CHUNK = 512  # samples that go through a net at once
OF_A_ROUND = ("loss_d", "loss_g", "grad_d", "grad_g")


@contextmanager
def unaltered(module: nn.Module, seed: int) -> Iterator[None]:
    """Within it a module may be run as it is trained, but drops no units; what its forward pass changes is put back at the end."""
    buffers = [(b, b.clone()) for b in module.buffers()]
    quiet = [m for m in module.modules() if isinstance(m, RANDOM) and m.training]
    for layer in quiet:
        layer.eval()
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: where CUDA waits to be asked for, that writes down the whole stack each time, for nothing.
        torch.default_generator.manual_seed(key(seed, "modules of a check"))
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            torch.cuda.manual_seed_all(key(seed, "modules of a check"))
        try:
            yield
        finally:
            for buffer, before in buffers:
                buffer.copy_(before)
            for layer in quiet:
                layer.train()


class Diagnostics:
    """The checks of one run. data: its parts; rounds: the game that is looked at."""

    def __init__(self, data: Data, algorithm: Algorithm1) -> None:
        self.algorithm, self.config, self.space = algorithm, algorithm.config, data.space
        self.material = Reference(data, data.space.modality.check.n)
        prior = self.config.prior
        self._z = PRIORS[prior.kind]((self.material.n, prior.dim), self.config.seed, "z of checks", 0)
        self._density, self._modes = data.density, modes_of(data.density)

    @torch.no_grad()
    def look(self, statistics: Tensor | None) -> dict[str, Any]:
        """The numbers of a check; None stands for what could not be had.

        statistics: of the round just played (`rounds.STATISTICS`), None before the first.
        """
        began = time.perf_counter()
        found: dict[str, Any] = {"data": self.space.kind, "compared_as": self.space.modality.compared_as}
        found |= {"n": self.material.n, "n_train": len(self.material.train)}
        if statistics is not None:
            named = dict(zip(STATISTICS, statistics.tolist(), strict=True))
            found |= {name: named[name] for name in OF_A_ROUND}
        fake = self._fakes(self.algorithm.players.G)
        found["finite"] = bool(torch.isfinite(fake).all())
        if found["finite"] and min(self.material.n, len(self.material.train)) >= LEAST:
            found |= self._judged(fake) | self._made(fake)
        return {**found, "took": round(time.perf_counter() - began, 4)}

    # -- the players ------------------------------------------------------------------------------------------------------

    def _through(self, module: nn.Module, x: Tensor) -> Tensor:
        """The module on x, in its own mode: one that looks at its batch sees all of x at once, as it sees a batch in training."""
        whole = uses_batch_statistics(module) and module.training
        out = []
        for part in [x] if whole else torch.split(x, CHUNK):
            with self.algorithm.execution.arithmetic():
                out.append(module(part.to(self.algorithm.device, self.algorithm.networks.dtype)))
        return torch.cat(out)

    def _fakes(self, G: nn.Module, widen: float = 1.0) -> Tensor:
        with unaltered(G, self.config.seed):
            return self._through(G, widened(self._z, displacement_numbers(G), widen)).to(self.algorithm.networks.dtype)

    def _judged(self, fake: Tensor) -> dict[str, float]:
        D, material = self.algorithm.players.D, self.material
        with unaltered(D, self.config.seed):
            train, held, made = (
                self._through(D, y).flatten().double().cpu()
                for y in (self.space.encode(material.train), self.space.encode(material.held), fake)
            )
        if not all(bool(torch.isfinite(logits).all()) for logits in (train, held, made)):
            return {}
        logits = torch.cat([held, made])
        return {"logit_mean": float(logits.mean()), "logit_std": float(logits.std()), **contrast(train, held, made)}

    # -- what G makes -----------------------------------------------------------------------------------------------------

    def _made(self, fake: Tensor) -> dict[str, Any]:
        """How the fakes of G and of its average lie to the reals; without an average, G's stand for both."""
        raw = self.space.decode(fake.float()).cpu()
        smooth = raw
        if self.config.average:
            ema = self.algorithm.players.ema.module
            y = self._fakes(ema, default_widening(ema))  # As the run is sampled: Run.sample.
            smooth = self.space.decode(y.float()).cpu() if bool(torch.isfinite(y).all()) else raw
        found = self._compared(raw, smooth) if self.material.enough else {}
        return found | self._known(smooth)

    def _compared(self, raw: Tensor, smooth: Tensor) -> dict[str, Any]:
        material = self.material
        of_G, of_average = material.rows(raw), material.rows(smooth)
        if not bool(torch.isfinite(of_G).all() and torch.isfinite(of_average).all()):
            return {}
        across = material.across(of_G)
        found: dict[str, Any] = asdict(material.likeness(of_G, across))
        if self.config.average:
            across = material.across(of_average)
            found |= {f"average_{name}": number for name, number in asdict(material.likeness(of_average, across)).items()}
        found["fresh"], found["fresh_error"] = material.fresh(of_average, across)
        found |= {f"floor_{name}": number for name, number in material.floor.items()}
        found["real_cells"] = (material.shares * 2 * material.n).round().int().tolist()
        return found | material.copies(smooth)

    def _known(self, raw: Tensor) -> dict[str, Any]:
        """What is had of a known density alone; it is told to people, and no verdict rests on it."""
        found: dict[str, Any] = {}
        if self._modes is not None:
            seen = census(raw, self._modes)
            found["modes"], found["modes_of"] = int((seen.counts > 0).sum()), len(self._modes.centres)
            found["high_quality"] = float(seen.counts.sum()) / seen.n
        if self._density is not None and self._density.dim == 1 and self.config.prior.dim == 1:
            found["jsd"] = exact_jsd(self._density, self.algorithm.players.ema.module, self.config.prior.kind, self.space)
        return found


def modes_of(density: Density | None) -> Modes | None:
    """The modes of a density that has separate ones."""
    if density is None or density.modes is None or density.mode_std is None or density.mode_weights is None:
        return None
    return Modes(density.modes, density.mode_std, density.mode_weights)


def exact_jsd(density: Density, G: nn.Module, law: Any, space: Space) -> float | None:
    """JSD(p_data, p_g) in nats of a 1-D density and the law of G(z), by change of variables; None where it cannot be had."""
    weight = next(G.parameters())

    def x(z: Tensor) -> Tensor:
        return space.decode(G(z.to(weight)).float()).cpu().double()

    try:
        p_g = pushforward(x, law, pieces=512, tolerance=1e-5, rounds=4)
        value, _ = line_jsd(density, p_g)
    except Refusal:
        return None
    return value if math.isfinite(value) else None
