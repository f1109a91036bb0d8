"""The digit classifier: four convolutions, 128 features, ten classes; its weights are data, its shape is this file.

BatchNorm, used in training (scripts/train_digit_features.py), is folded into the convolutions, so that a sample's features are a function
of that sample alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad, relu

DIGIT_CHANNELS = (32, 64, 64, 96)
DIGIT_FEATURES = 128
DIGIT_NAMES = tuple("0123456789")


def encode(images: Tensor) -> Tensor:
    """uint8 (N, 1, 28, 28) -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


class DigitNet(nn.Module):
    """x (N, 1, 28, 28) in [-1, 1] -> features (N, 128), non-negative, and logits (N, 10) of the ten digits."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = DIGIT_CHANNELS
        self.c1, self.c2 = nn.Conv2d(1, a, 3, padding=1), nn.Conv2d(a, b, 3, padding=1)
        self.c3, self.c4 = nn.Conv2d(b, c, 3, padding=1), nn.Conv2d(c, d, 3)
        self.f1, self.f2 = nn.Linear(9 * d, DIGIT_FEATURES), nn.Linear(DIGIT_FEATURES, len(DIGIT_NAMES))

    def normed(self, layer: int, x: Tensor) -> Tensor:
        """What follows convolution `layer` (0 to 3): nothing here, BatchNorm in the net that is trained."""
        return x

    def features(self, x: Tensor) -> Tensor:
        x = max_pool2d(relu(self.normed(0, self.c1(x))), 2)  # (N, 32, 14, 14)
        x = relu(self.normed(1, self.c2(x)))
        x = max_pool2d(relu(self.normed(2, self.c3(x))), 2)  # (N, 64, 7, 7)
        x = relu(self.normed(3, self.c4(x)))  # (N, 96, 5, 5)
        x = max_pool2d(pad(x, (0, 1, 0, 1)), 2)  # (N, 96, 3, 3)
        return relu(self.f1(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.f2(self.features(x))
        return logits


def fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution that equals `norm(convolution(x))` in eval mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = convolution.bias if convolution.bias is not None else torch.zeros_like(gain)
    return convolution.weight * gain[:, None, None, None], (bias - norm.running_mean) * gain + norm.bias
