"""The Dirac-GAN's fields by autograd, against finite differences, conserved quantities and the published table."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES
from zerosum.theory.dirac import DIRAC_TABLE, Dirac


@pytest.mark.parametrize("name", ["minimax", "non_saturating", "wasserstein", "least_squares", "relativistic"])
@pytest.mark.parametrize("penalty", ["none", "r1", "r2", "r1r2", "gp"])
def test_the_jacobian_is_that_of_the_field(name: str, penalty: str) -> None:
    """Central differences of the field that play.py gives, so that the part that play.py hides from autograd is checked too."""
    game = Dirac(VALUES[name], PENALTIES[penalty], 0.7)
    theta, psi, h = 0.6, -0.8, 1e-5
    columns = []
    for dt, dp in ((h, 0.0), (0.0, h)):
        ahead, back = (theta + dt, psi + dp), (theta - dt, psi - dp)
        columns.append([(f(*ahead) - f(*back)) / (2 * h) for f in (game.pull_on_theta, game.pull_on_psi)])
    assert_close(game.jacobian(theta, psi), torch.tensor(columns, dtype=torch.float64).T, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.5, 4.0])
def test_r1s_eigenvalues(gamma: float) -> None:
    eigenvalues = torch.linalg.eigvals(Dirac(VALUES["minimax"], PENALTIES["r1"], gamma).jacobian())
    # Trace -gamma and determinant f'(0)^2 = 1/4 say the same as the formula.
    assert_close(eigenvalues.sum().real, torch.tensor(-gamma, dtype=torch.float64))
    assert_close(eigenvalues.prod().real, torch.tensor(0.25, dtype=torch.float64))
    assert bool((eigenvalues.imag != 0).any()) == (gamma < 1)


def test_without_a_penalty_the_eigenvalues_lie_on_the_imaginary_axis() -> None:
    for name in ("minimax", "non_saturating", "wasserstein"):
        eigenvalues = torch.linalg.eigvals(Dirac(VALUES[name]).jacobian())
        assert_close(eigenvalues.real, torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-15)
        assert bool((eigenvalues.imag != 0).all())


def test_simultaneous_steps_of_the_wasserstein_game_spiral_out_by_a_known_factor() -> None:
    # The field is a rotation, so one step of size h multiplies the distance by sqrt(1 + h^2).
    path = Dirac(VALUES["wasserstein"]).trajectory("simultaneous", step=0.1, steps=50)
    assert_close(path.norm(dim=1), 2**0.5 * (1.01**0.5) ** torch.arange(51, dtype=torch.float64))


def test_alternating_steps_of_the_wasserstein_game_keep_their_ellipse() -> None:
    # D first: psi' = psi - h theta, theta' = theta + h psi' conserves theta^2 + psi^2 - h theta psi.
    h = 0.2
    path = Dirac(VALUES["wasserstein"]).trajectory("alternating", step=h, steps=100)
    theta, psi = path[:, 0], path[:, 1]
    kept = theta**2 + psi**2 - h * theta * psi
    assert_close(kept, kept[:1].expand(101), rtol=1e-12, atol=0)


def test_d_moves_first_in_alternating_play() -> None:
    game = DIRAC_TABLE["minimax"][0]
    one = game.trajectory("alternating", step=0.2, steps=1)[1]
    psi = -1 + 0.2 * game.pull_on_psi(1.0, -1.0)
    assert_close(one, torch.tensor([1 + 0.2 * game.pull_on_theta(1.0, psi), psi], dtype=torch.float64), rtol=1e-15, atol=0)


def test_the_equilibrium_stays_where_it_is() -> None:
    for name, (game, _, _) in DIRAC_TABLE.items():
        pulls = torch.tensor([game.pull_on_theta(0.0, 0.0), game.pull_on_psi(0.0, 0.0)])
        assert_close(pulls, torch.zeros(2), rtol=0, atol=1e-6, msg=name)
