"""Initialisation by fan-in, the number of inputs that add up to one output. Equalised learning rates follow it too."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

WeightedLayer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding


class ClassProjection(nn.Embedding):
    """One row of weights for each class, multiplied with D's features: <embed(y), h> (nets/conditioning.py).

    Looking up is what any nn.Embedding does. This type says what the rows are for: they are weights, as those of a Linear layer.
    """


def fan_in(layer: nn.Module) -> float:
    """The number of inputs that add up to one output. 1 for layers without a weight matrix.

    Of a transposed convolution's k^2 taps, k^2 / stride^2 meet in one output. A ClassProjection sums over all features, as the last Linear
    layer beside it does. In any other nn.Embedding an output is one number of the table, and nothing is summed: 1.
    """
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels / layer.groups * prod(layer.kernel_size) / prod(layer.stride)
    if isinstance(layer, nn.Embedding) and not isinstance(layer, ClassProjection):
        return 1.0
    weight = getattr(layer, "weight", None)
    return float(weight[0].numel()) if isinstance(weight, Tensor) and weight.ndim > 1 else 1.0


def normal_(weight: Tensor, mean: float, std: float) -> None:
    """Draws a weight from N(mean, std^2). One on the meta device is left alone: for it PyTorch would load its compiler, for seconds."""
    if not weight.is_meta:
        nn.init.normal_(weight, mean, std)


def initialise(layer: WeightedLayer, slope: float | None = None, scale: float = 1.0) -> None:
    """Draws weights from N(0, gain^2 scale^2 / fan-in) and sets biases to zero: the signal keeps its variance (He et al. 2015, arXiv
    1502.01852, eq. 14).

    slope: of the leaky ReLU before or after the layer; None for a linear layer. scale: 0 makes a residual branch start at zero.
    """
    gain = 1.0 if slope is None else nn.init.calculate_gain("leaky_relu", slope)
    normal_(layer.weight, 0.0, scale * gain / fan_in(layer) ** 0.5)
    bias = None if isinstance(layer, nn.Embedding) else layer.bias
    if bias is not None:
        nn.init.zeros_(bias)
