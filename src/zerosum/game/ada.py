"""The transformations of adaptive discriminator augmentation, and the rule by which their probability p follows the overfitting of D.

Karras et al. 2020 (arXiv 2006.06676), section 2.2 and appendix B, without their image-space filtering and corruptions: flips, translations,
scales and rotations, then colour. Each transformation of each image is applied with probability p, independently. Where p is below 0.8,
G cannot gain by showing a transformation itself: untransformed images remain the likeliest ones.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.game.resample import mirrored, quarter_turned, resampled, sheared

GATES = 11
"""Transformations, each with a gate: the first numbers of u. A transformation is applied where its gate is below 1."""
NUMBERS = GATES + 13
TRANSLATION, FRACTION = 1 / 8, 0.125  # of a side: the farthest whole-pixel shift, and the standard deviation of fractional ones
SCALE, BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.2, 0.5, 1.0  # standard deviations; all but the brightness in powers of two
MOST = 0.8  # of p: above it transformations may leak into samples (section 2.2)
TARGET = 0.6  # of r_t (section 3.1)
EVERY = 4  # steps between two changes of p
WHOLE_WAY = 100_000
"""Real samples in which p may rise from 0 to 1. The paper has 500,000, for trainings of 25 million; runs here are shorter."""


def gated(u: Tensor, p: Tensor) -> Tensor:
    """u (N, NUMBERS) with gates that let a transformation pass with probability p, a scalar."""
    gates, values = u.tensor_split([GATES], 1)
    return torch.cat((torch.where(gates < p, gates, 1.0), values), 1)


def strength(p: Tensor, signs: Tensor, count: Tensor, sign: Tensor, batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """p, and the sum and number of signs since its last change, after a further step. All are scalars.

    sign: the mean over the batch of the sign of D's judgement of real samples, whose mean over EVERY steps is r_t (eq. 1): 0 where D
    guesses, 1 where D is right of all. p rises where r_t is above TARGET and falls where it is below.
    """
    signs, count = signs + sign, count + 1
    due = count >= EVERY
    step = torch.sign(signs / count - TARGET) * (batch * EVERY / WHOLE_WAY)
    return torch.where(due, (p + step).clamp(0, MOST), p), torch.where(due, 0.0, signs), torch.where(due, 0.0, count)


def ada(x: Tensor, u: Tensor) -> Tensor:
    """All transformations in turn, of those whose gates let them pass. x: images (N, C, H, W) in [-1, 1]; u: (N, NUMBERS)."""
    on = (u[:, :GATES] < 1).to(x.dtype).unbind(1)
    values = u[:, GATES:].to(x.dtype).unbind(1)
    return _coloured(_moved(x, on[:6], values[:8]), on[6:], values[8:])


def _normal(u: Tensor) -> Tensor:
    """A standard normal number for each uniform one; never infinite."""
    return math.sqrt(2) * torch.erfinv((2 * u - 1).clamp(-0.9999, 0.9999))


def _moved(x: Tensor, on: tuple[Tensor, ...], v: tuple[Tensor, ...]) -> Tensor:
    """Flip, whole-pixel shift, scale, rotation, stretch and fractional shift. What comes from outside the image is mid-grey (0)."""
    height, width = x.shape[2:]
    flip, shift, scale, rotation, stretch, fraction = on
    flipped = flip * (v[0] < 0.5)
    down, right = ((v[i] * (2 * round(TRANSLATION * n) + 1)).floor() - round(TRANSLATION * n) for i, n in ((1, height), (2, width)))
    size = torch.exp2(SCALE * _normal(v[3]) * scale)
    ratio = torch.exp2(SCALE * _normal(v[5]) * stretch)
    down = down * shift + FRACTION * height * _normal(v[6]) * fraction
    right = right * shift + FRACTION * width * _normal(v[7]) * fraction
    angle = math.pi * (2 * v[4] - 1) * rotation
    turns = torch.round(angle / (math.pi / 2)) if height == width else torch.zeros_like(angle)
    rest = angle - turns * (math.pi / 2) if height == width else angle / 4  # Shears turn by up to 45 degrees.
    x = quarter_turned(mirrored(x, flipped > 0), turns.long() % 4)
    # A rotation is three shears (Paeth 1986, Graphics Interface, pages 77-81).
    x = sheared(sheared(sheared(x, -torch.tan(rest / 2), 3), torch.sin(rest), 2), -torch.tan(rest / 2), 3)
    return resampled(x, (size / ratio, size * ratio), (down, right))


def _coloured(x: Tensor, on: tuple[Tensor, ...], v: tuple[Tensor, ...]) -> Tensor:
    """Brightness, contrast, flip of the brightness, rotation of the hue, and saturation. An opacity stays as it is."""
    brightness, contrast, luma, hue, saturation = on
    seen, opacity = x.tensor_split([x.shape[1] - (x.shape[1] + 1) % 2], 1)
    seen = seen + _over(BRIGHTNESS * _normal(v[0]) * brightness)
    seen = seen * _over(torch.exp2(CONTRAST * _normal(v[1]) * contrast))
    grey = seen.mean(1, keepdim=True)
    seen = seen - 2 * grey * _over(luma * (v[2] < 0.5))
    if seen.shape[1] == 3:
        grey = seen.mean(1, keepdim=True)
        rest = seen - grey
        angle = _over(math.pi * (2 * v[3] - 1) * hue)
        # About the grey axis k: rest has no part along it, and k x rest is a difference of channels.
        across = (rest.roll(-2, 1) - rest.roll(-1, 1)) / math.sqrt(3)
        rest = rest * torch.cos(angle) + across * torch.sin(angle)
        seen = grey + rest * _over(torch.exp2(SATURATION * _normal(v[4]) * saturation))
    return torch.cat((seen, opacity), 1)


def _over(values: Tensor) -> Tensor:
    """(N,) -> (N, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)
