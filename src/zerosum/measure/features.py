"""Features: what samples are turned into before they are compared. The only file of measure that loads weights.

`digits`: the package's own classifier of MNIST digits (128 features). `raw`: points and small vectors as they are. A Features' hash names
its weights, so that two scores can be compared only where they were taken with the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import safetensors.torch
import torch
from torch import Tensor

from zerosum.errors import Refusal, nearest
from zerosum.measure.digits import CLASSES, DIM, DigitNet, encode

DIGITS_SHA256 = "c15fb0569c113185197e1e491be7a7a4f397775c91398cee02d509145c4d7c0b"
_CHUNK = 100  # with channels last, twice as quick on a CPU as 500 without


class Raw:
    """Points as they are: (N, d) -> (N, d) float32."""

    name, hash = "raw", "raw"
    classes: tuple[str, ...] | None = None
    dim: int | None = None
    """Whatever the points have."""

    @property
    def label(self) -> str:
        return self.name

    def __call__(self, samples: Tensor) -> Tensor:
        if samples.ndim != 2:
            raise Refusal(f"Raw features are for points (N, d), not for shape {tuple(samples.shape)}: choose features made for images.")
        return samples.float()


class Digits:
    """The digit classifier's last hidden layer: uint8 (N, 1, 28, 28) -> (N, 128) float32, non-negative.

    A sample's features do not depend on the batch that it comes in, beyond float32 rounding.
    """

    name, dim, classes = "digits", DIM, CLASSES

    def __init__(self, weights: bytes, sha256: str = DIGITS_SHA256) -> None:
        self.hash = hashlib.sha256(weights).hexdigest()
        if self.hash != sha256:
            raise Refusal(f"The digit classifier's weights have SHA-256 {self.hash[:12]} and not {sha256[:12]}: install zerosum again.")
        self._net = DigitNet().requires_grad_(False).eval()
        self._net.load_state_dict(safetensors.torch.load(weights))
        self._net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def label(self) -> str:
        """Name and hash, as scores carry it."""
        return f"{self.name}:{self.hash[:12]}"

    def __call__(self, images: Tensor) -> Tensor:
        return self._each(images, self._net.features)

    def logits(self, images: Tensor) -> Tensor:
        """uint8 (N, 1, 28, 28) -> (N, 10) logits of the digits 0 to 9."""
        return self._each(images, self._net)

    def guesses(self, images: Tensor) -> Tensor:
        """The most likely digit of each image, int64 (N,)."""
        return self.logits(images).argmax(1)

    def of(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, 128) and guesses (N,) in one pass."""
        rows = self(images)
        return rows, self._net.f2(rows).argmax(1)

    def _each(self, images: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != (1, 28, 28):
            shape = f"{images.dtype} {tuple(images.shape)}".removeprefix("torch.")
            raise Refusal(f"The digit features want uint8 images (N, 1, 28, 28), not {shape}: use others.")
        if not len(images):
            raise Refusal("There are no images to take digit features of: give some.")
        with torch.inference_mode():
            out = torch.cat([step(encode(chunk).contiguous(memory_format=torch.channels_last)) for chunk in torch.split(images, _CHUNK)])
        return out.clone()


Features = Raw | Digits


@cache
def _digits() -> Digits:
    resource = files("zerosum.measure").joinpath("digits.safetensors")
    try:
        weights = resource.read_bytes()
    except FileNotFoundError:
        raise Refusal(
            "The digit classifier's weights, measure/digits.safetensors, are missing from the package: install zerosum again."
        ) from None
    return Digits(weights)


def _inception() -> Features:
    raise Refusal("Features `inception` are not in this version: without features, a fresh D's are used for images, named as such.")


FEATURES: dict[str, Callable[[], Features]] = {"raw": Raw, "digits": _digits, "inception": _inception}


def features(name: str) -> Features:
    """The features of that name. Raises Refusal for an unknown name, missing weights, or weights with another SHA-256."""
    if name not in FEATURES:
        raise Refusal(f"There are no features named {name!r}.{nearest(name, FEATURES)}")
    return FEATURES[name]()
