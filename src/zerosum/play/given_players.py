"""The one check of a person's own G and D: a forward pass on a few samples, before anything is written.

It works on copies in evaluation mode on the CPU, so that neither weights nor running statistics nor anybody's random numbers change.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.data.source import Data
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.nets.conditioning import conditional, takes_labels
from zerosum.play.config import Config

FEW = 16
"""Samples of the forward pass."""

LARGE = 1000.0
"""Times noise: the logits of samples so large mostly leave [0, 1]; probabilities do not."""

_BOUNDED = ("Sigmoid", "Softmax", "Hardsigmoid", "Hardtanh", "Clamp", "Exp", "Div", "Reciprocal")
_ARRANGING = (
    "View",
    "UnsafeView",
    "ReshapeAlias",
    "Squeeze",
    "Unsqueeze",
    "Select",
    "Slice",
    "Clone",
    "Alias",
    "Permute",
    "Transpose",
    "Mean",
)

FAR = 4.0
"""Root mean square of pixels from which they are on another scale than [-1, 1]. A G with a linear end may begin at 1 to 2 and learn."""

_CONVOLUTIONS = (nn.modules.conv._ConvNd,)


def require_playable(G: nn.Module, D: nn.Module, config: Config, data: Data) -> None:
    """Raises Refusal where G does not turn noise into samples of the data's shape, or D does not give one logit a sample."""
    raw, y = data.train.head(FEW), data.train.labels_head(FEW)
    dtype = torch.promote_types(next(G.parameters()).dtype, torch.float32)  # As the training will compute them.
    z = PRIORS[config.prior.kind]((len(raw), config.prior.dim), config.seed, "trial of given players", 0).to(dtype)
    x = data.space.encode(raw).to(dtype)
    labels = y if conditional(config.net.classes, data.space.classes) else None
    with torch.random.fork_rng(devices=[]):
        fake = _samples(_copy(G), z, labels, config.prior.dim)
        _require_samples(fake, x)
        _require_logits(_copy(D), x, fake.detach().to(dtype), labels)


def _copy(module: nn.Module) -> nn.Module:
    return deepcopy(module).cpu().eval()


def _called(module: nn.Module, x: Tensor, y: Tensor | None) -> Any:
    return module(x, y) if y is not None and takes_labels(module) else module(x)


def _samples(G: nn.Module, z: Tensor, y: Tensor | None, dim: int) -> Any:
    try:
        return _called(G, z, y)
    except Exception as error:
        raise Refusal(
            f"The generator cannot compute samples from noise of shape {tuple(z.shape)} ({_short(error)}): {_fit(G, dim)}."
        ) from error


def _fit(G: nn.Module, dim: int) -> str:
    """What to do about a G that noise of `dim` numbers does not suit."""
    first = next((m for m in G.modules() if isinstance(m, (nn.Linear, *_CONVOLUTIONS))), None)
    if isinstance(first, nn.Linear) and first.in_features != dim:
        return f"its first layer reads {first.in_features} numbers, so set prior_dim={first.in_features}"
    if isinstance(first, _CONVOLUTIONS):
        return f"its first layer is a convolution of {first.in_channels} channels, so set prior_dim and begin with nn.Unflatten"
    return "set prior_dim to the length of the noise that it reads, or correct its forward"


def _require_samples(fake: Any, x: Tensor) -> None:
    wanted = tuple(x.shape)
    if not isinstance(fake, Tensor) or tuple(fake.shape) != wanted:
        found = _described(fake)
        raise Refusal(f"From {wanted[0]} rows of noise the generator makes {found}: make it a tensor of shape {wanted}, as the data have.")
    if not bool(torch.isfinite(fake).all()):
        raise Refusal("The generator makes samples that are NaN or infinite before it is trained: correct its initialisation.")
    low, high = fake.min().item(), fake.max().item()
    # A Sigmoid cannot make the darker half of the pixels.
    half = x.ndim == 4 and low >= 0 and high <= 1 and _last_operation(fake).startswith(_BOUNDED)
    if half or (x.ndim == 4 and fake.square().mean().sqrt().item() > FAR):
        raise Refusal(f"The generator makes pixels from {low:.3g} to {high:.3g}, and images are in [-1, 1] here: end it in nn.Tanh().")


def _require_logits(D: nn.Module, x: Tensor, fake: Tensor, y: Tensor | None) -> None:
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(x.dtype)
    try:
        outputs = [_called(D, inputs, y) for inputs in (x, fake, noise, LARGE * noise)]
    except Exception as error:
        raise Refusal(
            f"The discriminator cannot read samples of shape {tuple(x.shape)} ({_short(error)}): give it the data's shape."
        ) from error
    if not isinstance(outputs[0], Tensor) or outputs[0].shape[:1] != x.shape[:1] or outputs[0].numel() != len(x):
        found = _described(outputs[0])
        raise Refusal(f"The discriminator gives {found} for {len(x)} samples, not one logit a sample: end it in nn.Linear(..., 1).")
    told = torch.cat([logits.flatten() for logits in outputs])
    # A last linear layer may begin within [0, 1] by chance, so the last operation has to be one that ends there.
    if bool(((told >= 0) & (told <= 1)).all()) and _last_operation(outputs[0]).startswith(_BOUNDED):
        raise Refusal(
            "The discriminator gives probabilities, all in [0, 1], and the losses need logits: leave out the Sigmoid at its end "
            "(the losses contain it)."
        )


def _last_operation(output: Tensor) -> str:
    """The name, in PyTorch's graph, of the last operation that computed `output` rather than arranged it."""
    node = output.grad_fn
    while node is not None and node.name().startswith(_ARRANGING) and node.next_functions and node.next_functions[0][0] is not None:
        node = node.next_functions[0][0]
    return "" if node is None else node.name()


def _described(output: Any) -> str:
    return f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"


def _short(error: Exception) -> str:
    """Its type and first line."""
    told = str(error).strip().split("\n")[0][:160]
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
