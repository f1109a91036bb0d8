"""Features: the vectors that samples are converted to before they are compared.

`digits`: the package's own classifier of MNIST digits (128 features). `inception`: the network of 2015-12-05, with which Frechet distances
are published (2,048 features). `raw`: points and small vectors as they are. A Features' hash names its weights, so that only
scores of the same features are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from zerosum.data.items import Progress
from zerosum.errors import Refusal, nearest
from zerosum.measure import inception, weights
from zerosum.measure.digits import DIGIT_FEATURES, DIGIT_NAMES, DigitNet, encode
from zerosum.measure.resize import coloured, tf1_bilinear

DIGITS_SHA256 = "c15fb0569c113185197e1e491be7a7a4f397775c91398cee02d509145c4d7c0b"
_CHUNK = 100  # with channels last, twice as quick on a CPU as 500 without


class Raw:
    """Points as they are: (N, d) -> (N, d) float32."""

    name, hash = "raw", "raw"
    classes: tuple[str, ...] | None = None
    dim: int | None = None
    """None: as many as the points have."""

    @property
    def label(self) -> str:
        return self.name

    def __call__(self, samples: Tensor) -> Tensor:
        if samples.ndim != 2:
            raise Refusal(f"Raw features are for points (N, d), not for shape {tuple(samples.shape)}: choose features for images.")
        return samples.float()


class Digits:
    """The digit classifier's last hidden layer: uint8 (N, 1, 28, 28) -> (N, 128) float32, non-negative.

    A sample's features do not depend on its batch, beyond float32 rounding.
    """

    name, dim, classes = "digits", DIGIT_FEATURES, DIGIT_NAMES
    chunk = 1000

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
            raise Refusal(f"Digit features need uint8 images (N, 1, 28, 28), not {shape}: choose other features.")
        if not len(images):
            raise Refusal("There are no images to compute digit features of: give at least one.")
        with torch.inference_mode():
            out = torch.cat([step(encode(chunk).contiguous(memory_format=torch.channels_last)) for chunk in torch.split(images, _CHUNK)])
        return out.clone()  # a normal tensor again: those of inference mode cannot be used in autograd


class Inception:
    """The last average pool of the network of 2015-12-05: uint8 images (N, C, H, W) of any size -> (N, 2048) float32, non-negative.

    Grey is repeated, alpha composited on white, and every image resized to 299 x 299 by TensorFlow 1's bilinear filter. Always float32:
    bf16 changes scores. Memory beyond the result: that of `chunk` images. A sample's features do not depend on its batch, beyond rounding.
    """

    name, dim = "inception", inception.INCEPTION_FEATURES
    classes: tuple[str, ...] | None = None
    chunk = 16
    """Images at a time: on a CPU as fast as any other size, in 400 MB."""

    codecs = "array/array"
    """How generated and real images were stored, such as "png/jpeg": it changes scores, so the label contains it."""

    def __init__(self, state: weights.StateDict, sha256: str = weights.FID_2015.sha256) -> None:
        """state: the network's tensors, as `weights.load` gives them. sha256: of the file that held them.

        Raises Refusal for another network's weights.
        """
        self.hash = sha256
        self._net = inception.fitted(state).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def label(self) -> str:
        """Name, hash, filter, quantisation and codecs."""
        return f"{self.name}:{self.hash[:12]} tf1-bilinear {inception.INPUT_SIDE}, 8 bit, {self.codecs}"

    def __call__(self, images: Tensor) -> Tensor:
        rows = torch.empty(len(images), self.dim, dtype=torch.float32)
        with torch.inference_mode():
            for part, out in zip(torch.split(images, self.chunk), torch.split(rows, self.chunk), strict=True):
                x = inception.encode(tf1_bilinear(coloured(part).float(), inception.INPUT_SIDE))
                out.copy_(self._net.features(x.contiguous(memory_format=torch.channels_last)))
        return rows

    def of(self, images: Tensor) -> tuple[Tensor, None]:
        """Features (N, 2048), and no guesses: the network's 1,008 classes are not those of the data."""
        return self(images), None


class UnavailableFeatures:
    """Features that are not available here. Using them raises a Refusal that says why."""

    classes: tuple[str, ...] | None = None
    chunk = 1

    def __init__(self, name: str, why: str) -> None:
        self.name = self.label = name
        self.why = why

    def of(self, images: Tensor) -> tuple[Tensor, None]:
        raise Refusal(self.why)


Features = Raw | Digits | Inception | UnavailableFeatures


@cache
def _digits() -> Digits:
    resource = files("zerosum.measure").joinpath("digits.safetensors")
    try:
        content = resource.read_bytes()
    except FileNotFoundError:
        raise Refusal(
            "The digit classifier's weights, measure/digits.safetensors, are missing from the package: install zerosum again."
        ) from None
    return Digits(content)


FEATURES: dict[str, Callable[[Path | None, Progress | None], Features]] = {
    "raw": lambda file, progress: Raw(),
    "digits": lambda file, progress: _digits(),
    "inception": lambda file, progress: Inception(weights.obtain(file, progress=progress)),
}


def features(name: str, file: Path | None = None, progress: Progress | None = None) -> Features:
    """The features of that name. file: the weights of `inception`, if not on the search paths (see `weights.obtain`).

    Raises Refusal for an unknown name, missing weights, or weights with another SHA-256.
    """
    if name not in FEATURES:
        raise Refusal(f"There are no features named {name!r}.{nearest(name, FEATURES)}")
    return FEATURES[name](file, progress)
