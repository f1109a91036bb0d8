"""The Dirac-GAN: the smallest game that oscillates (Mescheder et al. 2018, arXiv 1801.04406, section 2).

Data delta_0, generator delta_theta, D(x) = psi x as the logit of "real". Every vector field here is the negative gradient of the losses in
game/losses.py, by autograd in float64: no game is implemented a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.autograd import grad

from zerosum.game.losses import discriminator_loss, generator_loss
from zerosum.game.penalty import PENALTIES, Penalty
from zerosum.game.value import VALUES, Value

Order = Literal["simultaneous", "alternating"]

_DATA = torch.zeros(1, 1, dtype=torch.float64)
_MIDDLE = torch.full((1,), 0.5, dtype=torch.float64)


@dataclass(frozen=True)
class Dirac:
    """One Dirac-GAN: a row of VALUES, a row of PENALTIES, and gamma."""

    value: Value
    penalty: Penalty | None = None
    gamma: float = 0.0

    def d_loss(self, theta: Tensor, psi: Tensor) -> Tensor:
        """The discriminator loss with its penalty; theta, psi: (). No gradient reaches theta, which is G's."""
        loss = discriminator_loss(lambda x: psi * x[:, 0], _DATA, theta.reshape(1, 1), self.value, self.penalty, self.gamma, _MIDDLE)
        return loss.total

    def g_loss(self, theta: Tensor, psi: Tensor) -> Tensor:
        """The generator loss, differentiable in both."""
        return generator_loss(lambda x: psi * x[:, 0], theta.reshape(1, 1), self.value, _DATA).loss

    def pull_on_theta(self, theta: float, psi: float) -> float:
        """-d g_loss / d theta: G's component of the vector field."""
        t = _leaf(theta)
        return -float(grad(self.g_loss(t, torch.tensor(psi, dtype=torch.float64)), t)[0])

    def pull_on_psi(self, theta: float, psi: float) -> float:
        """-d d_loss / d psi: D's component of the vector field."""
        p = _leaf(psi)
        return -float(grad(self.d_loss(torch.tensor(theta, dtype=torch.float64), p), p)[0])

    def jacobian(self, theta: float = 0.0, psi: float = 0.0) -> Tensor:
        """The field's Jacobian (2, 2) at (theta, psi), by autograd.

        game/losses.py detaches theta from D's loss, so d(field_psi)/d theta is computed from the value function alone: D is linear,
        its gradient is psi at every x, and no penalty depends on theta.
        """
        t, p = _leaf(theta), _leaf(psi)
        (v_theta,) = grad(self.g_loss(t, p), t, create_graph=True)
        (v_psi,) = grad(self.d_loss(t, p), p, create_graph=True)
        (detached,) = grad(self.value.d(0 * p, p * t), p, create_graph=True)
        # Minus the second derivatives of the losses: the field is minus their gradient.
        rows = [[_derivative(v_theta, t), _derivative(v_theta, p)], [_derivative(detached, t), _derivative(v_psi, p)]]
        return -torch.tensor(rows, dtype=torch.float64)

    def trajectory(self, order: Order, *, step: float = 0.2, steps: int = 500, start: tuple[float, float] = (1.0, -1.0)) -> Tensor:
        """(theta, psi) after 0, 1, ... `steps` steps of gradient descent, (steps + 1, 2). alternating: D first, as in Algorithm 1."""
        theta, psi = start
        path = [start]
        for _ in range(steps):
            psi_before = psi
            # Simultaneous players both use the parameters from before the step; alternating ones see each other's update.
            psi += step * self.pull_on_psi(theta, psi)
            theta += step * self.pull_on_theta(theta, psi if order == "alternating" else psi_before)
            path.append((theta, psi))
        return torch.tensor(path, dtype=torch.float64)


def _leaf(number: float) -> Tensor:
    return torch.tensor(number, dtype=torch.float64, requires_grad=True)


def _derivative(y: Tensor, x: Tensor) -> float:
    """dy/dx, 0 where y does not depend on x."""
    if not y.requires_grad:
        return 0.0
    (dy,) = grad(y, x, retain_graph=True, allow_unused=True)
    return 0.0 if dy is None else float(dy)


# The games of the table: name -> (game, distance from the equilibrium after 500 steps of .2 from (1, -1), simultaneous and alternating),
# integrated from the vector fields that Mescheder et al. 2018 publish (Table 1 and section 4).
DIRAC_TABLE: dict[str, tuple[Dirac, float, float]] = {
    "minimax": (Dirac(VALUES["minimax"]), 3.10, 1.41),
    "non_saturating": (Dirac(VALUES["non_saturating"]), 0.640, 0.271),
    "wasserstein": (Dirac(VALUES["wasserstein"]), 2.56e4, 1.43),
    "wasserstein + gp": (Dirac(VALUES["wasserstein"], PENALTIES["gp"], 0.7), 1.80, 1.28),
    "minimax + r1": (Dirac(VALUES["minimax"], PENALTIES["r1"], 0.3), 2.64e-6, 2.38e-7),
    "non_saturating + r1": (Dirac(VALUES["non_saturating"], PENALTIES["r1"], 0.3), 2.21e-6, 1.64e-7),
}
