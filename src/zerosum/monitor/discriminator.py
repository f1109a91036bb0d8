"""How well D separates generated samples from training samples and from held-out ones, from its logits alone, for every value function.

The zero and the scale of a logit have no meaning in some games (Wasserstein, relativistic). So D is evaluated by ranks (AUC), and by its
cross-entropy after Platt's calibration: two numbers, fitted on one half of the samples and applied to the other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zerosum.measure.divergence import losses
from zerosum.measure.twosample import logistic

FEWEST_LOGITS = 8  # samples a side


def auc(a: Tensor, b: Tensor) -> float:
    """P(a > b) + P(a = b) / 2 for logits a (n,) of real and b (m,) of generated samples: 1/2 by chance, 1 for perfect separation."""
    order = torch.cat([a, b]).double()
    _, where, counts = torch.unique(order, return_inverse=True, return_counts=True)
    # Ties share the mean of their ranks (Mann and Whitney 1947).
    last = counts.cumsum(0).double()
    rank = (last - (counts.double() - 1) / 2)[where]
    n, m = len(a), len(b)
    return float((rank[:n].sum() - n * (n + 1) / 2) / (n * m))


def calibrated(a: Tensor, b: Tensor) -> tuple[float, float]:
    """(gain, offset) such that gain x logit + offset is the log odds of "real", by logistic regression on real a (n,), generated b (m,)."""
    both = torch.cat([a, b]).double()
    scale, centre = float(both.std()) or 1.0, float(both.mean())
    w, c = logistic((a[:, None] - centre) / scale, (b[:, None] - centre) / scale)
    return float(w) / scale, float(c) - float(w) * centre / scale


def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Every other row, and the rest, so that both halves contain early and late rows."""
    return x[::2], x[1::2]


def separation(train: Tensor, held: Tensor, fake: Tensor) -> dict[str, float]:
    """Numbers from D's logits on training, held-out and generated samples, each (n,).

    auc_train, auc_val: `auc` of training and of held-out samples against generated ones. auc_gap: of training samples against held-out
    ones, 1/2 unless D has memorised its training samples. cross_entropy_train, cross_entropy_val: balanced, calibrated, in nats;
    log 2 = 0.693 by chance. accuracy_train, accuracy_val, accuracy_fake: shares classified correctly at the calibrated zero.
    r_t: E sign D(x) on training samples; r_v: (E D(train) - E D(held out)) / (E D(train) - E D(generated)): Karras et al. 2020, arXiv
    2006.06676, eq. 1, with D(x) the logit.
    """
    parts = {"train": halves(train), "val": halves(held)}
    fakes = halves(fake)
    found = {f"auc_{name}": auc(torch.cat(halved), fake) for name, halved in parts.items()}
    found["auc_gap"] = auc(train, held)
    gain, offset = calibrated(parts["val"][0], fakes[0])
    b = gain * fakes[1] + offset
    for name, halved in parts.items():
        a = gain * halved[1] + offset
        on_real, on_fake = losses(a, b)
        found[f"cross_entropy_{name}"] = float(on_real.mean() + on_fake.mean()) / 2
        found[f"accuracy_{name}"] = float((a > 0).double().mean())
    found["accuracy_fake"] = float((b <= 0).double().mean())
    found["r_t"] = float((gain * train + offset).sign().mean())
    apart = float(train.mean() - fake.mean())
    found["r_v"] = float(train.mean() - held.mean()) / apart if abs(apart) > 1e-12 else math.nan
    return found
