"""One check of a run in training: the numbers of a row of type "check" (docs/run-folder.md).

A check changes nothing in the training: its random draws have purposes of their own, the players' buffers are restored, no gradient is
computed, and the process's own random generators keep their state.
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
from zerosum.monitor.discriminator import FEWEST_LOGITS, separation
from zerosum.monitor.reference import Reference
from zerosum.nets import displacement_numbers
from zerosum.nets.elastic import widened
from zerosum.nets.traits import DROPOUTS, uses_batch_statistics
from zerosum.play.statistics import STATISTICS
from zerosum.play.step import Algorithm1
from zerosum.runs.sampling import default_widening
from zerosum.theory.optimum import line_jsd
from zerosum.theory.pushforward import pushforward

CHUNK = 512  # samples that go through a net at once
OF_THE_STEP = ("loss_d", "loss_g", "grad_d", "grad_g")


@contextmanager
def unaltered(module: nn.Module, seed: int) -> Iterator[None]:
    """Within this context a module runs in training mode, but without dropout; its buffers are restored at the end."""
    buffers = [(b, b.clone()) for b in module.buffers()]
    quiet = [m for m in module.modules() if isinstance(m, DROPOUTS) and m.training]
    for layer in quiet:
        layer.eval()
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: while CUDA is not initialised, that records the whole stack each time.
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
    """The checks of one run. data: its parts; algorithm: the training that is checked."""

    def __init__(self, data: Data, algorithm: Algorithm1) -> None:
        self.algorithm, self.config, self.space = algorithm, algorithm.config, data.space
        self.reference = Reference(data, data.space.modality.check.n)
        prior = self.config.prior
        self._z = PRIORS[prior.kind]((self.reference.n, prior.dim), self.config.seed, "z of checks", 0)
        self._density, self._modes = data.density, modes_of(data.density)

    @torch.no_grad()
    def look(self, statistics: Tensor | None) -> dict[str, Any]:
        """The numbers of a check; None stands for a number that could not be computed.

        statistics: of the last step, in the order of STATISTICS; None before the first.
        """
        began = time.perf_counter()
        found: dict[str, Any] = {"data": self.space.kind, "compared_as": self.space.modality.compared_as}
        found |= {"n": self.reference.n, "n_train": len(self.reference.train)}
        if statistics is not None:
            named = dict(zip(STATISTICS, statistics.tolist(), strict=True))
            found |= {name: named[name] for name in OF_THE_STEP}
        fake = self._generated(self.algorithm.players.G)
        found["finite"] = bool(torch.isfinite(fake).all())
        if found["finite"] and min(self.reference.n, len(self.reference.train)) >= FEWEST_LOGITS:
            found |= self._of_D(fake) | self._of_G(fake)
        return {**found, "took": round(time.perf_counter() - began, 4)}

    # -- the players ------------------------------------------------------------------------------------------------------

    def _outputs(self, letter: str, module: nn.Module, x: Tensor, y: Tensor | None) -> Tensor:
        """The module's outputs for x, in its own mode: with batch statistics it gets all of x at once, as it gets a batch in training."""
        networks, device = self.algorithm.networks, self.algorithm.device
        size = len(x) if uses_batch_statistics(module) and module.training else CHUNK
        given = [x.to(networks.dtype), *([y] if y is not None and letter in networks.labelled else [])]
        out = []
        for part in zip(*(torch.split(rows, size) for rows in given), strict=True):
            with self.algorithm.execution.arithmetic():
                out.append(module(*(rows.to(device) for rows in part)))
        return torch.cat(out)

    def _generated(self, G: nn.Module, widen: float = 1.0) -> Tensor:
        """G's samples for the checks' noise, with the classes of the held-out samples."""
        z = widened(self._z, displacement_numbers(G), widen)
        with unaltered(G, self.config.seed):
            return self._outputs("g", G, z, self.reference.held_y).to(self.algorithm.networks.dtype)

    def _of_D(self, fake: Tensor) -> dict[str, float]:
        """How D separates the generated samples from training and from held-out ones."""
        D, real = self.algorithm.players.D, self.reference
        encode = self.space.encode
        batches = ((encode(real.train), real.train_y), (encode(real.held), real.held_y), (fake, real.held_y))
        with unaltered(D, self.config.seed):
            train, held, made = (self._outputs("d", D, x, y).flatten().double().cpu() for x, y in batches)
        if not all(bool(torch.isfinite(logits).all()) for logits in (train, held, made)):
            return {}
        logits = torch.cat([held, made])
        return {"logit_mean": float(logits.mean()), "logit_std": float(logits.std()), **separation(train, held, made)}

    def _of_G(self, fake: Tensor) -> dict[str, Any]:
        """How the samples of G and of its EMA compare with real ones; without an EMA, G's own stand for both."""
        raw = self.space.decode(fake.float()).cpu()
        smooth = raw
        if self.config.average:
            ema = self.algorithm.players.ema.module
            made = self._generated(ema, default_widening(ema))  # As Run.sample draws them.
            smooth = self.space.decode(made.float()).cpu() if bool(torch.isfinite(made).all()) else raw
        found = self._compared(raw, smooth) if self.reference.enough else {}
        return found | self._known(smooth)

    def _compared(self, raw: Tensor, smooth: Tensor) -> dict[str, Any]:
        real = self.reference
        of_G = real.rows(raw)
        of_ema = of_G if smooth is raw else real.rows(smooth)
        if not bool(torch.isfinite(of_G).all() and torch.isfinite(of_ema).all()):
            return {}
        across = real.across(of_G)
        found: dict[str, Any] = asdict(real.comparison(of_G, across))
        if self.config.average:
            across = real.across(of_ema)
            found |= {f"average_{name}": number for name, number in asdict(real.comparison(of_ema, across)).items()}
        found["fresh"], found["fresh_error"] = real.neighbour_test(of_ema, across)
        if (share := real.noise_share(of_ema)) is not None:
            found |= {"noise_share": share.value, "noise_share_low": share.low, "noise_share_high": share.high}
        found |= {f"floor_{name}": number for name, number in real.reference_scores.items()}
        found["real_cells"] = (real.shares * 2 * real.n).round().int().tolist()
        return found | real.copies(smooth)

    def _known(self, raw: Tensor) -> dict[str, Any]:
        """Numbers that need a known density: shown to people, and not used by the verdict."""
        found: dict[str, Any] = {}
        if self._modes is not None:
            seen = census(raw, self._modes)
            found["modes"], found["modes_of"] = int((seen.counts > 0).sum()), len(self._modes.centres)
            found["high_quality"] = float(seen.counts.sum()) / seen.n
        if self._density is not None and self._density.dim == 1 and self.config.prior.dim == 1 and not self.algorithm.networks.labelled:
            found["jsd"] = exact_jsd(self._density, self.algorithm.players.ema.module, self.config.prior.kind, self.space)
        return found


def modes_of(density: Density | None) -> Modes | None:
    """The modes of a density whose modes are separate; None of another."""
    if density is None or density.modes is None or density.mode_std is None or density.mode_weights is None:
        return None
    return Modes(density.modes, density.mode_std, density.mode_weights)


def exact_jsd(density: Density, G: nn.Module, prior: Any, space: Space) -> float | None:
    """JSD(p_data, p_g) in nats of a 1-D density and the distribution of G(z), by change of variables; None where it cannot be computed."""
    weight = next(G.parameters())

    def x(z: Tensor) -> Tensor:
        return space.decode(G(z.to(weight)).float()).cpu().double()

    try:
        p_g = pushforward(x, prior, pieces=512, tolerance=1e-5, rounds=4)
        value, _ = line_jsd(density, p_g)
    except Refusal:
        return None
    return value if math.isfinite(value) else None
