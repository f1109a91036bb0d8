"""What a user should know of their data before a training begins: few images, small classes, labels that are missing."""

from __future__ import annotations

from zerosum.data.parts import Rows
from zerosum.data.source import Data
from zerosum.nets.conditioning import conditional
from zerosum.play.config import Config

FEW_IMAGES = 100
"""Images below which a GAN mostly copies what it is shown: the smallest sets that Zhao et al. 2020 (section 4.4) trained on."""
FEW_OF_A_CLASS = 10
"""Images of a class below which its samples are mostly copies of them."""
NAMED = 5  # small classes that a sentence lists


def warnings(data: Data, config: Config, asked_classes: str | None = None) -> list[str]:
    """Sentences on data that a training goes on with. asked_classes: --net.classes, where the user gave it."""
    said = []
    if asked_classes == "auto" and not data.space.classes:
        said.append(f"{data.name} has no class labels, so --net.classes auto has no effect.")
    size = data.train.size
    if data.space.modality.one_file_each and size is not None and size < FEW_IMAGES:
        what = f"{data.name} has {size} images to train on, fewer than {FEW_IMAGES}: samples will mostly be copies of them"
        said.append(f"{what}. Give more images, and look at the nearest training images in the report.")
    if conditional(config.net.classes, data.classes) and isinstance(data.train, Rows):
        said += _small_classes(data, data.train.counts(len(data.classes)))
    return said


def _small_classes(data: Data, counts: list[int]) -> list[str]:
    missing = [name for name, count in zip(data.classes, counts, strict=True) if count == 0]
    small = [f"{name} ({count})" for name, count in zip(data.classes, counts, strict=True) if 0 < count < FEW_OF_A_CLASS]
    said = []
    if missing:
        said.append(f"{_some(missing)} of {data.name} {_have(missing, 'no image')} in the training part, and cannot be learned.")
    if small:
        few = _have(small, f"fewer than {FEW_OF_A_CLASS} training images")
        said.append(f"{_some(small)} of {data.name} {few}: expect copies of them, or ignore classes with --net.classes none.")
    return said


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:NAMED])
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"Class{'es' if len(names) > 1 else ''} {listed}{more}"


def _have(names: list[str], what: str) -> str:
    return f"ha{'ve' if len(names) > 1 else 's'} {what}"
