"""A lower bound on the Jensen-Shannon divergence, from how well a new classifier separates held-out real and generated samples.

V(D, G) <= V(D*, G) = -log 4 + 2 JSD (Goodfellow et al. 2014, Theorem 1), so for *any* D, JSD >= (V(D) + log 4) / 2 = log 2 - balanced
cross-entropy of D, in nats, at most log 2. D is trained on one part of the samples, chosen and calibrated on a second, and evaluated on a
third that it never saw: there the cross-entropy is a mean of independent terms, so its error is known. D is clipped to
[D_MARGIN, 1 - D_MARGIN],
which bounds the terms; a clipped, calibrated D is still a discriminator, so the bound stays valid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from zerosum.chance import generator
from zerosum.errors import Refusal
from zerosum.measure.c2st import TwoSampleClassifier, fit
from zerosum.measure.inputs import MeasureInputs, check_pair
from zerosum.measure.score import Z95_ONE_SIDED, Reading

D_MARGIN = 0.01
DELTA = 0.05
LIMIT = 10_000
MIN_FOR_BOUND = 200  # samples a side
TRAINED_SHARE, CALIBRATED_SHARE = 0.6, 0.1  # shares of the samples; the rest evaluates
_CLIP = math.log((1 - D_MARGIN) / D_MARGIN)


@dataclass(frozen=True)
class Bound:
    """A lower bound on JSD(p_data, p_g) in nats.

    estimate: log 2 - cross-entropy on the third part; its expectation is at most the JSD. asymptotic, finite: one-sided 95 % lower bounds
    on the JSD (below 0 they say nothing), see `lower_bounds`. accuracy: D's on the third part, balanced. pairs: the size of that part, a
    side. held_fake, held_real: indices of its rows. D: the discriminator.
    """

    estimate: float
    asymptotic: float
    finite: float
    accuracy: float
    pairs: int
    D: TwoSampleClassifier
    held_fake: Tensor
    held_real: Tensor


def losses(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """-log D(x) on real samples and -log(1 - D(x)) on generated ones, with D clipped to [D_MARGIN, 1 - D_MARGIN]; float64."""
    return softplus(-a.double().clamp(-_CLIP, _CLIP)), softplus(b.double().clamp(-_CLIP, _CLIP))


def lower_bounds(on_real: Tensor, on_fake: Tensor) -> tuple[float, float]:
    """One-sided 95 % lower bounds on the JSD, nats, from both losses (n,) on held-out samples: asymptotic, and finite-sample.

    The n terms are means of one real and one generated sample's loss, each within a range of softplus(c) - softplus(-c) = c, the clipped
    logit. Asymptotic: by the normal distribution, with one pair added on which D is wrong with certainty, since a D without an error so far
    may still make one. Finite-sample: Maurer and Pontil 2009, arXiv 0907.3740, Theorem 4.
    """
    pair = (on_real + on_fake) / 2
    n, v, log_term = len(pair), float(pair.var()), math.log(2 / DELTA)
    # The largest loss of a clipped D is log(1 / D_MARGIN): one such pair keeps the interval from vanishing.
    with_miss = torch.cat([pair, pair.new_tensor([math.log(1 / D_MARGIN)])])
    asymptotic = math.log(2) - float(with_miss.mean()) - Z95_ONE_SIDED * math.sqrt(float(with_miss.var()) / n)
    # Theorem 4 holds for terms in [0, 1]; theirs have range _CLIP.
    return asymptotic, math.log(2) - float(pair.mean()) - math.sqrt(2 * v * log_term / n) - 7 * _CLIP * log_term / (3 * (n - 1))


def jsd_bound(fake: Tensor, real: Tensor, seed: int = 0) -> Bound:
    """Compute the bound: points (N, d), or uint8 images (N, C, H, W); at most LIMIT a side, as many of each.

    Raises Refusal below MIN_FOR_BOUND samples a side.
    """
    n = min(len(fake), len(real), LIMIT)
    if n < MIN_FOR_BOUND:
        raise Refusal(
            f"The bound on the JSD needs at least {MIN_FOR_BOUND} generated and as many real samples, and there are {n}: give more."
        )
    order_f, order_r = (
        torch.randperm(len(x), generator=generator(seed, f"fresh D: {who}"))[:n] for x, who in ((fake, "fakes"), (real, "reals"))
    )
    # Three disjoint parts: the bound is valid since the last one took no part in training or choosing D.
    fitted, calibrated = round(TRAINED_SHARE * n), round((TRAINED_SHARE + CALIBRATED_SHARE) * n)
    learn, choose, read = slice(fitted), slice(fitted, calibrated), slice(calibrated, n)
    D = fit(fake[order_f[learn]], real[order_r[learn]], fake[order_f[choose]], real[order_r[choose]], seed)
    a, b = D.logits(real[order_r[read]]), D.logits(fake[order_f[read]])
    on_real, on_fake = losses(a, b)
    estimate = math.log(2) - float(on_real.mean() + on_fake.mean()) / 2
    asymptotic, finite = lower_bounds(on_real, on_fake)
    right = float((a > 0).double().mean() + (b <= 0).double().mean()) / 2
    return Bound(estimate, asymptotic, finite, right, len(a), D, order_f[read], order_r[read])


def reading(bound: Bound) -> Reading:
    """The asymptotic one-sided 95 % lower bound in nats, at least 0. It has no interval: nothing bounds the JSD from above."""
    note = (
        f"finite-sample bound: {max(0.0, bound.finite):.4f} nats; estimate: {max(0.0, bound.estimate):.4f};"
        f" the classifier is right on {bound.accuracy:.1%} of {bound.pairs} held-out pairs"
    )
    return Reading("jsd", max(0.0, bound.asymptotic), None, None, note)


def measure_divergence(sets: MeasureInputs) -> tuple[Reading, ...]:
    """Row of MEASURES: on the samples themselves (points, pixels)."""
    fake, real = sets.fake.samples, sets.real.samples
    check_pair(fake.flatten(1), real.flatten(1), least=MIN_FOR_BOUND)
    return (reading(jsd_bound(fake, real, sets.seed)),)
