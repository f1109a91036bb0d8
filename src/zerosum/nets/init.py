"""How weights start, and how fast they may move: both by fan-in, the number of inputs that meet in one output."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

Weighted = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


def fan_in(layer: nn.Module) -> float:
    """Inputs that meet in one output: of a transposed convolution's k^2 taps, k^2 / stride^2 do. 1 for layers without a weight matrix."""
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels / layer.groups * prod(layer.kernel_size) / prod(layer.stride)
    weight = getattr(layer, "weight", None)
    return float(weight[0].numel()) if isinstance(weight, Tensor) and weight.ndim > 1 else 1.0


def normal_(weight: Tensor, mean: float, std: float) -> None:
    """Draws a weight from N(mean, std^2). One without memory is left alone: PyTorch would load its compiler for it, for seconds."""
    if not weight.is_meta:
        nn.init.normal_(weight, mean, std)


def start(layer: Weighted, slope: float | None = None, scale: float = 1.0) -> None:
    """Weights N(0, gain^2 scale^2 / fan-in), biases zero: the signal keeps its variance (He et al. 2015, arXiv 1502.01852, eq. 14).

    slope: of the leaky ReLU that the layer's input or output goes through; None for a linear layer. scale 0 starts a residual branch at
    nothing.
    """
    gain = 1.0 if slope is None else nn.init.calculate_gain("leaky_relu", slope)
    normal_(layer.weight, 0.0, scale * gain / fan_in(layer) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
