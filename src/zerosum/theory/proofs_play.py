"""Statements about the players: G's gradients, the Dirac-GAN, the penalties and the prior, each against a closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.special import ndtri

from zerosum.data.density import gaussian, mixture
from zerosum.game.losses import discriminator_loss
from zerosum.game.penalty import PENALTIES
from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES
from zerosum.theory.dirac import DIRAC_TABLE, Dirac
from zerosum.theory.pair import line
from zerosum.theory.statement import Statement, relative_statement, statement

_MESCHEDER = "Mescheder et al. 2018, arXiv 1801.04406"
_GOODFELLOW = "Goodfellow et al. 2014, section 3"


def generator_gradients() -> list[Statement]:
    """Statement 5: G(z) = z - 8, far from p_data = N(0, 1), against D with logit t log(p_data / p_g), which improves to D* as t rises to 1.

    The saturating gradient vanishes as D improves and the other grows: autograd through the loss against quadrature of D and of 1 - D.
    """
    far = -8.0
    pair = line(gaussian(), mixture([1.0], [far], [1.0]))
    x = pair.x[:, 0]
    rows = []
    for t in (0.125, 0.25, 0.5, 1.0):
        D = pair.P**t / (pair.P**t + pair.Q**t)
        for name, share in (("minimax", pair.Q @ D), ("non_saturating", pair.Q @ (1 - D))):
            theta = torch.zeros((), dtype=torch.float64, requires_grad=True)
            # log p_data - log p_g = -far x + far^2 / 2, with slope -far.
            b = t * (-far * (x + theta) + far**2 / 2)
            (slope,) = torch.autograd.grad(pair.Q @ VALUES[name].g(torch.zeros_like(b), b), theta)
            rows.append(
                relative_statement(
                    f"G's gradient, {name}, D's logit {t:g} times that of D*", _GOODFELLOW, t * far * float(share), float(slope), 1e-6
                )
            )
    for name, power in (("minimax", 1.0), ("non_saturating", 0.0)):
        b = torch.tensor([-20.0, -10.0], dtype=torch.float64, requires_grad=True)
        # The slope in the logit at -20 over that at -10: e^-10 for a gradient that vanishes with D, 1 for one that stays.
        (slope,) = torch.autograd.grad(VALUES[name].g(torch.zeros_like(b), b).sum(), b)
        measured = float((slope[1] / slope[0]).log()) / 10
        rows.append(statement(f"d log |G's gradient| / d logit where D is certain, {name}", _GOODFELLOW, power, measured, 1e-4))
    return rows


def dirac() -> list[Statement]:
    """Statement 6: the Dirac-GAN's table, both columns; R1's eigenvalues; every game's field in closed form."""
    rows = []
    for name, (game, simultaneous, alternating) in DIRAC_TABLE.items():
        end = float(game.trajectory("simultaneous")[-1].norm())
        rows.append(relative_statement(f"Dirac-GAN, {name}, simultaneous: distance after 500 steps", _MESCHEDER, simultaneous, end, 0.01))
        end = float(game.trajectory("alternating")[-1].norm())
        rows.append(relative_statement(f"Dirac-GAN, {name}, alternating: distance after 500 steps", _MESCHEDER, alternating, end, 0.01))
    return rows + _eigenvalues() + _fields()


def _eigenvalues() -> list[Statement]:
    """-gamma/2 +- sqrt(gamma^2/4 - f'(0)^2), f'(0) = 1/2: below, at and above the critical gamma 1 (Lemma 4.1)."""
    rows = []
    for name in ("minimax", "non_saturating"):
        for gamma in (0.3, 1.0, 2.0):
            root = torch.tensor(gamma**2 / 4 - 1 / 4, dtype=torch.complex128).sqrt()
            proved = torch.stack([-gamma / 2 - root, -gamma / 2 + root])
            measured = torch.linalg.eigvals(Dirac(VALUES[name], PENALTIES["r1"], gamma).jacobian())
            # Eigenvalues have no order: compare each with the nearest of the other set.
            gap = (proved[:, None] - measured).abs()
            distance = float(torch.maximum(gap.amin(0).max(), gap.amin(1).max()))
            rows.append(
                statement(
                    f"eigenvalues of {name} + R1, gamma {gamma:g}: largest distance from theory",
                    f"{_MESCHEDER}, Lemma 4.1",
                    0.0,
                    distance,
                    1e-6,
                )
            )
    return rows


def _fields() -> list[Statement]:
    """Each game's pull on (theta, psi) at (1, -1/2), derived by hand from the published losses with a = 0 and b = theta psi."""
    theta, psi = 1.0, -0.5
    b = theta * psi
    sigma = 1 / (1 + math.exp(-b))
    by_hand = {
        "minimax": (psi * sigma, -theta * sigma),
        "non_saturating": (psi * (1 - sigma), -theta * sigma),
        "least_squares": (-psi * (b - 1), -theta * b),
        "wasserstein": (psi, -theta),
        "hinge": (psi, -theta),
        "relativistic": (psi * (1 - sigma), -theta * sigma),
    }
    rows = []
    for name, (on_theta, on_psi) in by_hand.items():
        game = Dirac(VALUES[name])
        distance = math.hypot(game.pull_on_theta(theta, psi) - on_theta, game.pull_on_psi(theta, psi) - on_psi)
        rows.append(
            statement(f"Dirac-GAN's vector field, {name}: distance from the derivation by hand", VALUES[name].source, 0.0, distance, 1e-12)
        )
    return rows


def penalties() -> list[Statement]:
    """gamma/2 E cost of D(x) = psi |x|^2 / 2, whose gradient is psi x: at real samples, generated ones, both, and between."""
    psi, gamma = 1.5, 0.8
    x = torch.tensor([[1.0, 2.0], [0.0, -1.0]], dtype=torch.float64)
    fake = torch.tensor([[3.0, 0.0], [2.0, 2.0]], dtype=torch.float64)
    epsilon = torch.tensor([0.25, 0.5], dtype=torch.float64)

    def D(y: Tensor) -> Tensor:
        return psi * y.square().sum(1) / 2

    # Squared norms: real 5 and 1, generated 9 and 8; between them the points (2.5, .5) and (1, .5).
    real, fakes = psi**2 * (5 + 1) / 2, psi**2 * (9 + 8) / 2
    middle = ((psi * math.sqrt(6.5) - 1) ** 2 + (psi * math.sqrt(1.25) - 1) ** 2) / 2
    rows = []
    for name, unscaled in {"r1": real, "r2": fakes, "r1r2": real + fakes, "gp": middle}.items():
        penalty = PENALTIES[name]
        assert penalty is not None
        measured = float(discriminator_loss(D, x, fake, VALUES["minimax"], penalty, gamma, epsilon).penalty.detach())
        rows.append(statement(f"penalty {name} of a quadratic D", penalty.source, gamma / 2 * unscaled, measured, 1e-9))
    return rows


def prior() -> list[Statement]:
    """The prior that p_g's change of variables assumes is the one that G is trained with, by its quartiles."""
    n = 100_000
    half = {"normal": float(ndtri(torch.tensor(0.75, dtype=torch.float64))), "uniform": 0.5}
    source = {"normal": "z ~ N(0, 1)", "uniform": "z ~ U(-1, 1), Radford et al. 2015"}
    rows = []
    for name, quartile in half.items():
        z = PRIORS[name]((n, 1), 0, "theory-prior", 0).double().flatten()
        measured = torch.quantile(z, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
        proved = torch.tensor([-quartile, 0, quartile], dtype=torch.float64)
        rows.append(
            statement(f"quartiles of the {name} prior: largest distance", source[name], 0.0, float((measured - proved).abs().max()), 0.02)
        )
    return rows
