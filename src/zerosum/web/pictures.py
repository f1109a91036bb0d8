"""Images in the lab: the grid of samples, D's opinion of each, one image by its z, and a walk between two."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES
from zerosum.nets.conditioning import takes_labels
from zerosum.web.machine import Machine

ROWS, COLUMNS, WALK = 10, 8, 10


def _generated(machine: Machine, z: Tensor, y: Tensor | None) -> Tensor:
    """Raw samples uint8 (N, C, H, W) of G in evaluation mode, whose mode is restored."""
    G = machine.players.G
    was = G.training
    G.eval()
    try:
        with torch.no_grad():
            made = G(z) if y is None else G(z, y)
    finally:
        G.train(was)
    return machine.data.space.decode(made)


def _classes(machine: Machine) -> int:
    """How many classes G can be asked for; 0 without."""
    return len(machine.data.space.classes) if takes_labels(machine.players.G) and machine.config.net.classes == "auto" else 0


def tiles(machine: Machine) -> tuple[Tensor, Tensor | None]:
    """ROWS x COLUMNS raw samples, always of the same noise, and their classes: one class a row where G takes them."""
    prior = machine.config.prior
    z = PRIORS[prior.kind]((ROWS * COLUMNS, prior.dim), machine.config.seed, "lab/tiles", 0)
    count = _classes(machine)
    y = torch.arange(ROWS).remainder(count).repeat_interleave(COLUMNS) if count else None
    return _generated(machine, z, y), y


def opinions(machine: Machine, images: Tensor, y: Tensor | None) -> NDArray[Any]:
    """D's opinion of raw samples, from 0 (generated) to 1 (real), (N,): D(x) where that is a probability, else compared with real samples.

    In the other games a logit's level has no meaning, so the opinion is the share of real samples that D scores lower.
    """
    D, value = machine.players.D, VALUES[machine.config.game.value]
    labelled = "d" in machine.players.labelled
    was = D.training
    D.eval()
    try:
        with torch.no_grad():
            logits = _logits(machine, images, y if labelled else None)
            if value.probability:
                return logits.sigmoid().numpy()
            real, labels = machine.data.train.head(128), machine.data.train.labels_head(128)
            reference = _logits(machine, real, labels if labelled else None).sort().values
    finally:
        D.train(was)
    return (torch.searchsorted(reference, logits).double() / len(reference)).numpy()


def _logits(machine: Machine, images: Tensor, y: Tensor | None) -> Tensor:
    x = machine.data.space.encode(images)
    found: Tensor = (machine.players.D(x) if y is None else machine.players.D(x, y)).flatten()
    return found


def one(machine: Machine, coordinates: list[float], number: int, y: int) -> dict[str, Any]:
    """One image: draw number `number` of z with its first coordinates replaced; the picture as rows, and D's opinion."""
    z = _draw(machine, number)
    given = torch.tensor(coordinates[: z.shape[1]], dtype=torch.float32)
    z[0, : len(given)] = given
    labels = torch.tensor([y % _classes(machine)]) if _classes(machine) else None
    image = _generated(machine, z, labels)
    return {"image": image.numpy(), "z": z[0].tolist(), "opinion": float(opinions(machine, image, labels)[0])}


def walk(machine: Machine, first: int, last: int, y: int) -> NDArray[np.uint8]:
    """WALK images from one draw of z to another: over the sphere for a normal prior, whose mass lies near one, else on the line."""
    start, end = _draw(machine, first), _draw(machine, last)
    u = torch.linspace(0, 1, WALK)[:, None]
    if machine.config.prior.kind == "normal" and machine.config.prior.dim > 1:
        angle = torch.arccos(torch.nn.functional.cosine_similarity(start, end).clamp(-1 + 1e-6, 1 - 1e-6))[:, None]
        path = (torch.sin((1 - u) * angle) * start + torch.sin(u * angle) * end) / torch.sin(angle)
    else:
        path = (1 - u) * start + u * end
    count = _classes(machine)
    labels = torch.full((WALK,), y % count) if count else None
    return _generated(machine, path, labels).numpy()


def _draw(machine: Machine, number: int) -> Tensor:
    prior = machine.config.prior
    return PRIORS[prior.kind]((1, prior.dim), machine.config.seed, "lab/one z", number)
