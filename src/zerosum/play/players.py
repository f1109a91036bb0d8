"""The two players of a run with their optimisers and the EMA of G: the state in a checkpoint, apart from the step counter."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

import torch
from torch import Tensor, nn

from zerosum.chance import key
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.nets import NETS, build
from zerosum.nets.conditioning import conditional, takes_labels
from zerosum.nets.ema import EMA
from zerosum.nets.init import fan_in
from zerosum.nets.traits import uses_batch_statistics
from zerosum.play.adam import Adam
from zerosum.play.adaptive import Adaptive, is_adaptive
from zerosum.play.config import Config, NetOptions, PlayerOptions
from zerosum.play.muon import Muon

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
Tensors = dict[str, Tensor]


COMMON_NET_OPTIONS = ("kind", "classes")  # options of NetOptions that all kinds of net share


def _net_options(net: NetOptions) -> dict[str, object]:
    """The options of a kind of net. Raises Refusal where an option that the kind does not have is not at its default."""
    row, default = NETS[net.kind], asdict(NetOptions())
    options = {name: value for name, value in asdict(net).items() if name not in COMMON_NET_OPTIONS}
    for name, value in options.items():
        if name not in row.options and value != default[name]:
            has = f"whose options are {', '.join(sorted(row.options))}" if row.options else "which has no options"
            raise Refusal(f"--net.{name} {value} has no effect with --net.kind {net.kind}, {has}: leave it out.")
    return options


OPTIMISERS: dict[str, type[Adam]] = {"adam": Adam, "muon": Muon}


def _optimiser(module: nn.Module, options: PlayerOptions) -> Adam:
    """The optimiser of the module's weights, in groups by each layer's share of the learning rate. table: embeddings, one row a class."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for layer in module.modules():
        for p in layer.parameters(recurse=False):
            share = fan_in(layer) ** -0.5 if options.equalised and p.ndim > 1 else 1.0
            if p.requires_grad:
                groups.setdefault((share, isinstance(layer, nn.Embedding)), []).append(p)
    if not groups:
        raise Refusal("A player has no weights to train: give a module with parameters that require gradients.")
    parameters = [{"params": weights, "share": share, "table": table} for (share, table), weights in groups.items()]
    return OPTIMISERS[options.optimiser](parameters, lr=options.lr, betas=(options.beta1, options.beta2))


def _kept(optimiser: Adam) -> dict[Tensor, tuple[str, ...]]:
    """The moments that an optimiser keeps of each weight."""
    matrices = {p: MOMENTS[:1] if g["betas"][0] else () for g in optimiser.param_groups if g.get("matrix") for p in g["params"]}
    return {p: matrices.get(p, MOMENTS) for g in optimiser.param_groups for p in g["params"]}


def skeleton(config: Config, space: Space) -> Players:
    """The players that a config asks for, on the meta device: names, shapes and types without their memory. Raises Refusal."""
    with torch.device("meta"):
        return Players(config, space, torch.device("meta"))


class Players:
    """G, D, an optimiser for each, and the EMA of G, on one device, in channels-last layout where there are images.

    labelled: which of the players, by the letters "d" and "g", are called with class labels.
    """

    def __init__(self, config: Config, space: Space, device: torch.device, given: tuple[nn.Module, nn.Module] | None = None) -> None:
        """given: a person's own (G, D); else they are built by the config, with weights drawn from its seed. Raises Refusal."""
        classes = conditional(config.net.classes, space.classes)
        if given is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(key(config.seed, "weights"))
                given = build(config.net.kind, space.shape, config.prior.dim, _net_options(config.net), classes)
        layout = torch.channels_last if len(space.shape) == 3 else torch.preserve_format
        self.G: nn.Module = given[0].to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
        self.D: nn.Module = given[1].to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
        self.labelled = frozenset(letter for letter, net in (("d", self.D), ("g", self.G)) if classes and takes_labels(net))
        if config.game.penalty != "none" and uses_batch_statistics(self.D):
            raise Refusal(
                f"--game.penalty {config.game.penalty} needs the gradient of D at one sample, and with BatchNorm in D that depends on "
                "the rest of the batch: use --net.norm none or --game.penalty none."
            )
        self.ema = EMA(self.G)
        self.adaptive = Adaptive(device) if is_adaptive(config.game.augment) else None
        self._options = {"d": config.d, "g": config.g}

    @cached_property
    def optimisers(self) -> dict[str, Adam]:
        """Each player's own, created when first needed: sampling alone does not."""
        return {letter: _optimiser(module, self._options[letter]) for letter, module in (("d", self.D), ("g", self.G))}

    def weights(self) -> Tensors:
        """G, D and the EMA of G: parameters and buffers by name, the very tensors."""
        named = {"G": self.G, "D": self.D, "average": self.ema.module}
        return {f"{player}.{name}": tensor for player, module in named.items() for name, tensor in module.state_dict().items()}

    def moments(self) -> Tensors:
        """The optimisers' state by player and parameter name, and that of an adaptive augmentation: the very tensors, zeros before the
        first update."""
        found: Tensors = {} if self.adaptive is None else self.adaptive.tensors()
        for letter, module in (("d", self.D), ("g", self.G)):
            state, kept = self.optimisers[letter].state, _kept(self.optimisers[letter])
            for name, p in module.named_parameters():
                if not p.requires_grad:
                    continue
                if not state[p]:
                    state[p] = {m: torch.zeros((), device=p.device) if m == "step" else torch.zeros_like(p) for m in kept[p]}
                found |= {f"{letter}.{name}.{moment}": state[p][moment] for moment in kept[p]}
        return found

    def strength(self) -> dict[str, float]:
        """The probability of an adaptive augmentation, for the record. Waits for the device."""
        return {} if self.adaptive is None else {"augment_p": round(self.adaptive.p.item(), 4)}

    def files(self) -> dict[str, Tensors]:
        """The tensors of a checkpoint, by file."""
        return {"weights.safetensors": self.weights(), "moments.safetensors": self.moments()}

    def not_finite(self) -> str | None:
        """The first weight, of a player or of the average, that is NaN or infinite. Waits for the device."""
        weights = {name: t for name, t in self.weights().items() if t.is_floating_point()}
        if bool(torch.isfinite(torch.stack(torch._foreach_norm(list(weights.values()))).sum()).item()):
            return None
        return next((name for name, t in weights.items() if not torch.isfinite(t).all()), None)


def host_copy(tensors: Tensors) -> dict[str, Tensor]:
    """Contiguous copies on the host, to be written while the run goes on."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
