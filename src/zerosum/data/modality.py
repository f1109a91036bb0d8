"""The kinds of data that zerosum can learn: one row of MODALITIES each, with everything that depends on the kind.

To add a modality, write three things: its row here, its reader (a file of this room), and its preview (report/grid.py). Other rooms read
a value from the row, or look up a behaviour in a table of their own under the name that the row gives. They never compare names
of modalities. This file loads neither torch nor numpy, because `zerosum train --help` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from zerosum.data.space import Space

Shape = tuple[int, ...]


@dataclass(frozen=True)
class CheckSize:
    """How large and how frequent the checks of a run are. How long they take: docs/verdict.md.

    n: samples a side that one check compares. apart: real samples that D sees between two checks, at least, so that checks take a small
    share of the time.
    """

    n: int
    apart: int


@dataclass(frozen=True)
class Modality:
    """One kind of data.

    Samples.
        axes: number of axes of one sample; axis_names: what they are, for a user. value_bytes: bytes of one raw value.
        channel_axis: which axis counts channels, None without. describe(shape): words for a user.
        standardised: each coordinate has its own offset and scale, from the training part; for samples of one axis.
        resizable: --data.size and --data.flip apply.
        files: formats that contain this kind alone, the end of the file's name -> the module that reads them, a `FileReader` of source.py.
        Arrays, idx files and collections of images need none: source.py recognises them by their content.
    Conversions.
        encode(raw, space): raw samples to what the nets see, float32. decode(y, space): the inverse.
        to_user(raw), from_user(x): raw samples to and from the layout of the arrays that a user gets.
    Training.
        preset(shape): the preset for a sample's shape, None where the shape is not known.
        threads: CPU threads for the nets; None for all cores. bf16: whether the nets gain from bf16. check: see CheckSize.
    Measuring.
        compared_as: "vectors", by their coordinates, or "features", by random features of images.
        features: the features of `zerosum evaluate` where the user names none; None measures samples as they are.
    Showing.
        preview: how a set of samples is drawn, a row of report/grid.py's PREVIEWS. preview_samples: how many samples are drawn;
        preview_real: how many real samples are drawn behind them. suffix: of the file that `zerosum sample` is suggested to write.
        one_file_each: whether one sample alone can be written as a picture.
    """

    name: str
    axes: int
    axis_names: str
    value_bytes: int
    channel_axis: int | None
    describe: Callable[[Shape], str]
    standardised: bool
    resizable: bool
    encode: Callable[[Tensor, Space], Tensor]
    decode: Callable[[Tensor, Space], Tensor]
    to_user: Callable[[Tensor], Tensor]
    from_user: Callable[[Tensor], Tensor]
    preset: Callable[[Shape | None], str]
    threads: int | None
    bf16: bool
    check: CheckSize
    compared_as: Literal["vectors", "features"]
    features: Literal["auto", "digits", "inception", "fresh"] | None
    preview: Literal["scatter", "tiles"]
    preview_samples: int
    preview_real: int
    suffix: Literal[".npy", ".png"]
    one_file_each: bool
    files: dict[str, str] = field(default_factory=dict)


# Points: float32 (N, d). The nets see (x - offset) / scale, with mean 0 and standard deviation 1 in each coordinate.


def _encode_points(raw: Tensor, space: Space) -> Tensor:
    offset, scale = space.affine(raw.device)
    return (raw.float() - offset) / scale


def _decode_points(y: Tensor, space: Space) -> Tensor:
    offset, scale = space.affine(y.device)
    return y.float() * scale + offset


def _describe_points(shape: Shape) -> str:
    return f"points of {shape[0]} coordinate{'s' if shape[0] != 1 else ''}"


# Images: uint8 (N, C, H, W). The nets see [-1, 1]. Users get N x H x W, or N x H x W x C where C > 1.

_CHANNELS = {1: "grey", 2: "grey-and-alpha", 3: "RGB", 4: "RGBA"}
# Images of one channel up to this side get the preset for digits.
_DIGITS_SIDE = 32


def _encode_images(raw: Tensor, space: Space) -> Tensor:
    return raw.float().mul_(1 / 127.5).sub_(1)


def _decode_images(y: Tensor, space: Space) -> Tensor:
    return y.float().clamp(-1, 1).add_(1).mul_(127.5).round_().byte()


def _channels_last(raw: Tensor) -> Tensor:
    last = raw.byte().movedim(1, -1)
    return last[..., 0] if last.shape[-1] == 1 else last


def _channels_first(x: Tensor) -> Tensor:
    return x[:, None] if x.ndim == 3 else x.movedim(3, 1).contiguous()


def _images_preset(shape: Shape | None) -> str:
    return "digits" if shape is not None and shape[0] == 1 and max(shape[1:]) <= _DIGITS_SIDE else "images"


def _describe_images(shape: Shape) -> str:
    channels, height, width = shape
    return f"{_CHANNELS.get(channels, f'{channels}-channel')} images of {height} x {width}"


MODALITIES: dict[str, Modality] = {
    row.name: row
    for row in (
        Modality(
            name="points",
            axes=1,
            axis_names="coordinates",
            value_bytes=4,
            channel_axis=None,
            describe=_describe_points,
            standardised=True,
            resizable=False,
            encode=_encode_points,
            decode=_decode_points,
            to_user=lambda raw: raw.float(),
            from_user=lambda x: x,
            preset=lambda shape: "points",
            threads=1,
            bf16=False,
            check=CheckSize(512, 20_480),
            compared_as="vectors",
            features=None,
            preview="scatter",
            preview_samples=1024,
            preview_real=2048,
            suffix=".npy",
            one_file_each=False,
        ),
        Modality(
            name="images",
            axes=3,
            axis_names="channels x height x width",
            value_bytes=1,
            channel_axis=0,
            describe=_describe_images,
            standardised=False,
            resizable=True,
            encode=_encode_images,
            decode=_decode_images,
            to_user=_channels_last,
            from_user=_channels_first,
            preset=_images_preset,
            threads=None,
            bf16=True,
            check=CheckSize(256, 2_048),
            compared_as="features",
            features="auto",
            preview="tiles",
            preview_samples=64,
            preview_real=0,
            suffix=".png",
            one_file_each=True,
        ),
    )
}
