"""Projection: the z, and the class, at which G comes nearest to a given picture.

The distance is the mean squared difference of pixels, in [-1, 1], averaged over the picture and its halved sizes. A shift of a pixel then
counts less than a wrong shape. z is kept as short as the prior's samples are. Of several beginnings the best ones go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from zerosum.data.image_file import UnreadableImage, decode_image, fit_image, read_header, strict_pillow
from zerosum.data.space import Space
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.options import expanded
from zerosum.play.config import PriorOptions

BEGINNINGS, TRIED, STEPS = 32, 40, 300
"""Values of z at which the search begins (at least one a class), steps of each, and further steps of the best one."""
RATE = 0.1
HALVINGS = 2
LONGEST = 1.2  # times the usual length of normal noise
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, eq=False)
class Projection:
    """What was found. z: (dim,). y: the class number, None for an unconditional G. distance: between the picture and G(z, y); before: that
    of the nearest beginning. image, target: raw, of the space's shape."""

    z: Tensor
    y: int | None
    distance: float
    before: float
    image: Tensor
    target: Tensor


def target_of(image: Any, space: Space) -> tuple[Tensor, bool]:
    """An image as raw (C, H, W) of the space's shape, and whether it had another size. image: a path, or an array of one image.

    Raises Refusal where it is no image that can be read, or the space has no images.
    """
    if len(space.shape) != 3:
        raise Refusal(f"A run on {space.kind} has no images to project: give a run that was trained on images.")
    shape = (space.shape[0], space.shape[1], space.shape[2])
    if isinstance(image, (str, Path)):
        path = expanded(image)
        try:
            content = path.read_bytes()
            with strict_pillow():
                header = read_header(BytesIO(content))
                pixels = decode_image(BytesIO(content), shape, "crop")
        except (OSError, UnreadableImage) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Refusal(f"{path} cannot be read as an image ({why}): give a PNG, JPEG or WebP file.") from error
        return torch.from_numpy(pixels), (header.height, header.width) != shape[1:]
    array = np.asarray(image)
    grey = array.ndim == 2
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (not grey and array.shape[2] not in MODES):
        raise Refusal(f"An image must be uint8, H x W or H x W x C with C up to 4, not {array.dtype} of shape {array.shape}.")
    picture = Image.fromarray(array if grey or array.shape[2] > 1 else array[..., 0], MODES[1 if grey else array.shape[2]])
    with strict_pillow():
        pixels = fit_image(picture, shape, "crop")
    return torch.from_numpy(pixels), array.shape[:2] != shape[1:]


def distances(x: Tensor, target: Tensor) -> Tensor:
    """The distance of each of x (N, C, H, W) to target (C, H, W), (N,)."""
    total, target = x.new_zeros(len(x)), target[None]
    for i in range(HALVINGS + 1):
        total = total + (x - target).square().flatten(1).mean(1) / (HALVINGS + 1)
        if i < HALVINGS and min(x.shape[2:]) >= 4:
            x, target = avg_pool2d(x, 2), avg_pool2d(target, 2)
    return total


def project(
    G: nn.Module, prior: PriorOptions, space: Space, target: Tensor, *, y: int | None, classes: int, seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Projection:  # fmt: skip
    """The nearest G(z, y) to `target`, raw (C, H, W). y: the class, where it is given; else the best of `classes`. G is in evaluation mode.

    A function of its arguments and the seed. progress("projecting", done, total) is called after each step.
    """
    device = next(G.parameters()).device
    tell = progress or (lambda label, done, total: None)
    wanted = space.encode(target[None]).to(device)[0]
    n = max(BEGINNINGS, classes) if y is None else BEGINNINGS
    z = PRIORS[prior.kind]((n, prior.dim), seed, "projection", 0).to(device)
    labels = None if not classes else torch.full((n,), y, device=device) if y is not None else torch.arange(n, device=device) % classes
    for p in G.parameters():
        p.requires_grad_(False)
    before = float(_made(G, z, labels, wanted).min())
    z = _search(G, prior, z, labels, wanted, TRIED, lambda i: tell("projecting", i, TRIED + STEPS))
    best = _made(G, z, labels, wanted).argsort()[:4]
    z, labels = z[best], None if labels is None else labels[best]
    z = _search(G, prior, z, labels, wanted, STEPS, lambda i: tell("projecting", TRIED + i, TRIED + STEPS))
    found = _made(G, z, labels, wanted)
    i = int(found.argmin())
    with torch.no_grad():
        image = G(z[i : i + 1], *(() if labels is None else (labels[i : i + 1],)))
    return Projection(
        z[i].cpu(), None if labels is None else int(labels[i]), float(found[i]), before, space.decode(image.float()).cpu()[0], target
    )


def _made(G: nn.Module, z: Tensor, y: Tensor | None, target: Tensor) -> Tensor:
    with torch.no_grad():
        return distances(G(z, *(() if y is None else (y,))).float(), target)


def _search(
    G: nn.Module, prior: PriorOptions, z: Tensor, y: Tensor | None, target: Tensor, steps: int, tell: Callable[[int], None]
) -> Tensor:
    """Adam on z (N, dim), each row for itself, with a rate that falls to zero."""
    z = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([z], lr=RATE)
    for i in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * (1 - i / steps)
        loss = distances(G(z, *(() if y is None else (y,))).float(), target).sum()
        (z.grad,) = torch.autograd.grad(loss, z)
        optimiser.step()
        with torch.no_grad():
            z.copy_(_as_likely(z, prior))
        tell(i + 1)
    return z.detach()


def _as_likely(z: Tensor, prior: PriorOptions) -> Tensor:
    """z no farther from 0 than the prior's samples: where it is farther, G was never trained."""
    if prior.kind == "uniform":
        return z.clamp(-1, 1)
    length, longest = z.norm(dim=1, keepdim=True), LONGEST * prior.dim**0.5
    shorter: Tensor = z * (longest / length.clamp_min(longest))
    return shorter
