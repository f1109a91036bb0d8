"""Statements about the value functions and D's optimum: Goodfellow et al. 2014, section 4.1, and its analogue for every other game."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from zerosum.chance import normal, uniform
from zerosum.data.density import Boxes, Mixture, bimodal, gaussian, mixture
from zerosum.data.density import uniform as uniform_density
from zerosum.game.value import VALUES, Loss, smoothed
from zerosum.theory.optimum import LOG4, average_losses, expected, free_discriminator, jsd, v_star
from zerosum.theory.pair import LineDensity, Pair, line
from zerosum.theory.pushforward import Pushforward, pushforward
from zerosum.theory.statement import Statement, statement

_PROPOSITION = "Goodfellow et al. 2014, Proposition 1"
_THEOREM = "Goodfellow et al. 2014, Theorem 1"


def _log_d(logit: Tensor) -> Tensor:
    """log D, where D = 1 / (1 + e^-logit)."""
    return -torch.log1p(torch.exp(-logit))


# By each paper's formula, without game/: the discriminator loss and the generator loss of a = D(x) and b = D(G(z)). Every row of VALUES has
# its own here; study/proofs_backends.py holds the training code against them too.
PUBLISHED_LOSSES: dict[str, tuple[Loss, Loss]] = {
    "minimax": (lambda a, b: -_log_d(a) - _log_d(-b), lambda a, b: _log_d(-b)),
    "non_saturating": (lambda a, b: -_log_d(a) - _log_d(-b), lambda a, b: -_log_d(b)),
    "least_squares": (lambda a, b: 0.5 * (a - 1).square() + 0.5 * b.square(), lambda a, b: 0.5 * (b - 1).square()),
    "wasserstein": (lambda a, b: b - a, lambda a, b: -b),
    "hinge": (lambda a, b: (1 - a).clamp_min(0) + (1 + b).clamp_min(0), lambda a, b: -b),
    "relativistic": (lambda a, b: -_log_d(a - b), lambda a, b: -_log_d(b - a)),
}


def _flat(low: float, high: float) -> Boxes:
    return Boxes(torch.tensor([[low]], dtype=torch.float64), torch.tensor([[high]], dtype=torch.float64))


def _shifted(mean: float) -> Mixture:
    return mixture([1.0], [mean], [1.0])


def folded_g(pieces: int, tolerance: float) -> Pushforward:
    """p_g of a LeakyReLU perceptron with seeded weights and a normal prior: its graph has kinks and folds."""
    G = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    with torch.no_grad():
        for i, p in enumerate(G.parameters()):
            p.copy_(normal(p.shape, 0, "theory-folded-g", i) * (1.5 / p.shape[1] ** 0.5 if p.ndim == 2 else 0.5))
    return pushforward(G, "normal", pieces=pieces, tolerance=tolerance)


def five_pairs(pieces: int = 2048, tolerance: float = 1e-7) -> dict[str, tuple[LineDensity, LineDensity, float | None]]:
    """name -> (p_data, p_g, their JSD in nats where it has a closed form): equal and disjoint ones among them."""
    return {
        "equal, N(0,1)": (gaussian(), gaussian(), 0.0),
        "disjoint, U(-1,1) and U(2,3)": (uniform_density(), _flat(2, 3), math.log(2)),
        "half overlapping, U(-1,1) and U(0,2)": (uniform_density(), _flat(0, 2), math.log(2) / 2),
        "N(0,1) and N(1,1)": (gaussian(), _shifted(1), None),
        "bimodal and a folded G": (bimodal(), folded_g(pieces, tolerance), None),
    }


def optimal_discriminator() -> list[Statement]:
    """Statement 1: gradient ascent on V over all D, from D = 1/2, converges to D* = p_data / (p_data + p_g): the largest distance."""
    rows = []
    for name, (p_data, p_g, _) in five_pairs(pieces=64, tolerance=1e-4).items():
        pair = line(p_data, p_g, nodes=2)
        D = torch.sigmoid(free_discriminator(VALUES["minimax"], pair))
        rows.append(statement(f"ascent on V converges to D*, {name}: largest distance", _PROPOSITION, 0.0, _largest(D - pair.d_star), 1e-3))
    return rows


def _largest(difference: Tensor) -> float:
    """The largest absolute value over the nodes where D* exists: off both supports it is 0/0."""
    return float(difference[~difference.isnan()].abs().max())


def value_at_optimum() -> list[Statement]:
    """Statement 2: V(D*, G) = -log 4 + 2 JSD, and the JSD itself where there is a closed form."""
    rows = []
    for name, (p_data, p_g, known) in five_pairs().items():
        pair = line(p_data, p_g)
        rows.append(statement(f"V(D*, G) = -log 4 + 2 JSD, {name}: nats", _THEOREM, -LOG4 + 2 * jsd(pair), v_star(pair), 1e-6))
        if known is not None:
            rows.append(statement(f"JSD, {name}: nats", "closed form", known, jsd(pair), 1e-6))
    return rows


def identities() -> list[Statement]:
    """Statement 8: what the losses are, and how one-sided label smoothing moves the optimum."""
    a, b = (6 * uniform((1000,), 0, "theory-logits", i).double() - 3 for i in range(2))
    minimax, non_saturating = VALUES["minimax"], VALUES["non_saturating"]
    D, one_less = 1 / (1 + (-a).exp()), 1 / (1 + b.exp())
    bce = binary_cross_entropy_with_logits(a, torch.ones_like(a), reduction="none")
    bce = bce + binary_cross_entropy_with_logits(b, torch.zeros_like(b), reduction="none")
    eq1 = "Goodfellow et al. 2014, eq. 1"
    rows = [
        statement(
            "D's loss is -(log D(x) + log(1 - D(G(z)))): largest difference",
            eq1,
            0.0,
            _largest(minimax.d(a, b) + D.log() + one_less.log()),
            1e-12,
        ),
        statement("D's loss is BCE with labels 1 and 0: largest difference", eq1, 0.0, _largest(minimax.d(a, b) - bce), 1e-12),
        # G does not affect log D(x), so its loss omits that term, and the sum of both losses is the omitted term.
        statement(
            "minimax is zero-sum: both losses add to -log D(x), largest difference",
            eq1,
            0.0,
            _largest(minimax.d(a, b) + minimax.g(a, b) + D.log()),
            1e-12,
        ),
        statement(
            "non-saturating: G's loss is -log D(G(z)), D's unchanged, largest difference",
            "Goodfellow et al. 2014, section 3",
            0.0,
            max(_largest(non_saturating.g(a, b) + (1 - one_less).log()), _largest(non_saturating.d(a, b) - minimax.d(a, b))),
            1e-12,
        ),
    ]
    return rows + _published() + _smoothing() + _other_games()


def _published() -> list[Statement]:
    """Both losses of every value function against the paper's formula."""
    a, b = (6 * uniform((1000,), 1, "theory-logits", i).double() - 3 for i in range(2))
    rows = []
    for name, published in PUBLISHED_LOSSES.items():
        value = VALUES[name]
        for player, found, by_paper in zip("DG", (value.d, value.g), published, strict=True):
            gap = _largest(found(a, b) - by_paper(a, b))
            rows.append(statement(f"{player}'s loss, {name}: largest difference from the published one", value.source, 0.0, gap, 1e-12))
    return rows


def _smoothing() -> list[Statement]:
    pair = line(gaussian(), _shifted(1), nodes=2)
    s = 0.1
    source = "Salimans et al. 2016, section 3.4"
    rows = []
    for name in ("minimax", "non_saturating"):
        D = torch.sigmoid(free_discriminator(smoothed(VALUES[name], s), pair, steps=300, rate=6.0))
        rows.append(
            statement(
                f"{name}, labels 1 - s: distance from (1 - s) p_data / (p_data + p_g)",
                source,
                0.0,
                _largest(D - (1 - s) * pair.d_star),
                1e-3,
            )
        )
    a = free_discriminator(smoothed(VALUES["least_squares"], s), pair, steps=100, rate=0.5)
    rows.append(
        statement(
            "least squares, labels 1 - s: distance from (1 - s) p_data / (p_data + p_g)",
            source,
            0.0,
            _largest(a - (1 - s) * pair.d_star),
            1e-3,
        )
    )
    return rows


def _other_games() -> list[Statement]:
    """The optimum of each game that is not logistic, on N(0,1) against N(1,1), and D's loss there."""
    pair = line(gaussian(), _shifted(1), nodes=4)
    P, Q = pair.P, pair.Q
    value = VALUES["least_squares"]
    a = free_discriminator(value, pair, steps=100, rate=0.5)
    triangle = float(((P - Q) ** 2 / (P + Q)).sum())
    rows = [
        statement(
            "least squares: distance of the optimal D from p_data / (p_data + p_g)", value.source, 0.0, _largest(a - pair.d_star), 1e-6
        ),
        statement(
            "least squares: D's optimal loss, 1/4 - triangular discrimination / 8",
            value.source,
            1 / 4 - triangle / 8,
            average_losses(value, pair, a)[0],
            1e-6,
        ),
    ]
    value = VALUES["hinge"]
    a = free_discriminator(value, pair, steps=500, rate=0.02)
    # Where p_data and p_g are nearly equal the hinge loss is flat, and ascent has not arrived yet.
    clear = (P - Q).abs() > 0.2 * (P + Q)
    # TV(N(0,1), N(1,1)) = 2 Phi(1/2) - 1.
    tv = math.erf(0.5 / math.sqrt(2))
    rows += [
        statement(
            "hinge: distance of the optimal D from sign(p_data - p_g)", value.source, 0.0, _largest((a - (P - Q).sign())[clear]), 0.03
        ),
        statement("hinge: D's optimal loss, 2 - 2 TV", value.source, 2 - 2 * tv, average_losses(value, pair, (P - Q).sign())[0], 1e-3),
    ]
    value = VALUES["wasserstein"]
    rows.append(
        statement(
            "Wasserstein: loss of the 1-Lipschitz D(x) = 2 - x, minus the distance",
            value.source,
            -1.0,
            average_losses(value, pair, 2 - pair.x[:, 0])[0],
            1e-8,
        )
    )
    return rows + _relativistic(pair)


def _relativistic(pair: Pair) -> list[Statement]:
    """D compares a real with a generated sample: a JSD of p_data x p_g and its mirror image, optimal at log p_data - log p_g."""
    value = VALUES["relativistic"]
    a = pair.logit.requires_grad_()
    (slope,) = torch.autograd.grad(expected(value.d, pair, a, paired=True), a)
    # The product density p_data(x) p_g(y) and its mirror image, on all pairs of nodes.
    both = torch.outer(pair.P, pair.Q)
    mirrored = Pair(torch.zeros(both.numel(), 1), both.flatten(), both.T.flatten())
    return [
        statement(
            "relativistic: gradient of D's loss at log p_data - log p_g", value.source, 0.0, _largest(slope / (pair.P + pair.Q)), 1e-6
        ),
        statement(
            "relativistic: D's optimal loss, log 2 - JSD(p_data x p_g, p_g x p_data)",
            value.source,
            math.log(2) - jsd(mirrored),
            average_losses(value, pair, pair.logit)[0],
            1e-6,
        ),
    ]
