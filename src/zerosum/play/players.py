"""The two players of a run with their optimisers and the average of G: everything that a checkpoint holds but the counter."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

import torch
from torch import Tensor, nn

from zerosum.chance import key
from zerosum.errors import Refusal
from zerosum.nets import NETS, build
from zerosum.nets.ema import EMA
from zerosum.nets.init import fan_in
from zerosum.play.adam import Adam
from zerosum.play.config import Config, NetOptions, PlayerOptions
from zerosum.play.muon import Muon
from zerosum.runs.checkpoint import Checkpoint, Tensors

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
RANDOM = (nn.modules.dropout._DropoutNd,)
MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def uses_batch_statistics(module: nn.Module) -> bool:
    """Whether a sample's output depends on the samples beside it: BatchNorm does."""
    return any(isinstance(m, BATCH_NORMS) for m in module.modules())


def draws_random_numbers(module: nn.Module) -> bool:
    """Whether a module draws random numbers of its own in training: dropout does."""
    return any(isinstance(m, RANDOM) for m in module.modules())


def _knobs(net: NetOptions) -> dict[str, object]:
    """The knobs for a kind of net; one that the kind does not have must stand at its default."""
    row, default = NETS[net.kind], asdict(NetOptions())
    knobs = {name: knob for name, knob in asdict(net).items() if name != "kind"}
    for name, knob in knobs.items():
        if name not in row.options and knob != default[name]:
            known = ", ".join(sorted(row.options))
            raise Refusal(f"--net.{name} {knob} does nothing in --net.kind {net.kind}, which has {known}: leave it out.")
    return knobs


OPTIMISERS: dict[str, type[Adam]] = {"adam": Adam, "muon": Muon}


def _optimiser(module: nn.Module, options: PlayerOptions) -> Adam:
    """The optimiser of the module's weights, in groups by the share of the learning rate that each layer moves at."""
    groups: dict[float, list[nn.Parameter]] = {}
    for layer in module.modules():
        for p in layer.parameters(recurse=False):
            share = fan_in(layer) ** -0.5 if options.equalised and p.ndim > 1 else 1.0
            if p.requires_grad:
                groups.setdefault(share, []).append(p)
    if not groups:
        raise Refusal("A player has no weights to train: give a module with parameters that require gradients.")
    parameters = [{"params": weights, "share": share} for share, weights in groups.items()]
    return OPTIMISERS[options.optimiser](parameters, lr=options.lr, betas=(options.beta1, options.beta2))


def _kept(optimiser: Adam) -> dict[Tensor, tuple[str, ...]]:
    """Which moments an optimiser keeps of each weight."""
    matrices = {p: MOMENTS[:1] if g["betas"][0] else () for g in optimiser.param_groups if g.get("matrix") for p in g["params"]}
    return {p: matrices.get(p, MOMENTS) for g in optimiser.param_groups for p in g["params"]}


def skeleton(config: Config, shape: tuple[int, ...]) -> Players:
    """The players that a config asks for, on the meta device: names, shapes and types without their memory. Raises Refusal."""
    with torch.device("meta"):
        return Players(config, shape, torch.device("meta"))


class Players:
    """G, D, an optimiser for each, and the average of G, on one device, in channels-last layout where there are images."""

    def __init__(
        self, config: Config, shape: tuple[int, ...], device: torch.device, given: tuple[nn.Module, nn.Module] | None = None
    ) -> None:
        """given: a person's own (G, D); else they are built by the config, with weights drawn from its seed. Raises Refusal."""
        if given is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(key(config.seed, "weights"))
                given = build(config.net.kind, shape, config.prior.dim, _knobs(config.net))
        layout = torch.channels_last if len(shape) == 3 else torch.preserve_format
        self.G: nn.Module = given[0].to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
        self.D: nn.Module = given[1].to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
        if config.game.penalty != "none" and uses_batch_statistics(self.D):
            raise Refusal(
                f"--game.penalty {config.game.penalty} is of one sample's gradient, and with BatchNorm in D a sample has none of its own: "
                "use --net.norm none or --game.penalty none."
            )
        self.average = EMA(self.G)
        self._options = {"d": config.d, "g": config.g}

    @cached_property
    def optimisers(self) -> dict[str, Adam]:
        """Each player's own. Made when first asked for: whoever only samples need not wait for torch's optimisers to be imported."""
        return {letter: _optimiser(module, self._options[letter]) for letter, module in (("d", self.D), ("g", self.G))}

    def weights(self) -> Tensors:
        """G, D and the average: parameters and buffers by name, the very tensors."""
        named = {"G": self.G, "D": self.D, "average": self.average.module}
        return {f"{player}.{name}": tensor for player, module in named.items() for name, tensor in module.state_dict().items()}

    def moments(self) -> Tensors:
        """The optimisers' state by player and parameter name, the very tensors; zeros stand in for what has not been stepped yet."""
        found: Tensors = {}
        for letter, module in (("d", self.D), ("g", self.G)):
            state, kept = self.optimisers[letter].state, _kept(self.optimisers[letter])
            for name, p in module.named_parameters():
                if not p.requires_grad:
                    continue
                if not state[p]:
                    state[p] = {m: torch.zeros((), device=p.device) if m == "step" else torch.zeros_like(p) for m in kept[p]}
                found |= {f"{letter}.{name}.{moment}": state[p][moment] for moment in kept[p]}
        return found

    def files(self) -> dict[str, Tensors]:
        """What a checkpoint holds, by file."""
        return {"weights.safetensors": self.weights(), "moments.safetensors": self.moments()}

    @torch.no_grad()
    def restore(self, checkpoint: Checkpoint, moments: bool = True) -> None:
        """Takes over a checkpoint's state in place, the optimisers' too unless `moments` is false. Raises Refusal where it does not fit."""
        files = self.files() if moments else {"weights.safetensors": self.weights()}
        for file, mine in files.items():
            for name, tensor in checkpoint.tensors(file, mine).items():
                mine[name].copy_(tensor)

    def not_finite(self) -> str | None:
        """The first weight, of a player or of the average, that is NaN or infinite. Waits for the device."""
        weights = {name: t for name, t in self.weights().items() if t.is_floating_point()}
        if bool(torch.isfinite(torch.stack(torch._foreach_norm(list(weights.values()))).sum()).item()):
            return None
        return next((name for name, t in weights.items() if not torch.isfinite(t).all()), None)


def host_copy(tensors: Tensors) -> dict[str, Tensor]:
    """Contiguous copies on the host, to be written while the run goes on."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
