"""Baselines before any game: maximum likelihood, and regressions that separate classes.

Logistic regression is the smallest discriminator; for two Gaussians of equal variance it already contains D*.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zerosum.chance import key
from zerosum.data.density import Mixture
from zerosum.errors import Refusal
from zerosum.game.value import VALUES


def fit_gaussian(x: Tensor) -> Mixture:
    """The Gaussian of greatest likelihood for points x: (N,) or (N, 1), N >= 2: their mean, and their variance with 1/N.

    Raises Refusal for fewer points, points that are all the same, or points in more dimensions.
    """
    rows = x.reshape(len(x), -1).double()
    if rows.shape[1] != 1:
        raise Refusal(f"The Gaussian fit is for 1-D points, not for {rows.shape[1]}-D ones: fit a mixture instead.")
    variance = rows.var(0, correction=0) if len(rows) > 1 else rows.new_zeros(1)
    if float(variance) <= 0:
        raise Refusal("A Gaussian needs at least two different points: there is no spread to fit.")
    return Mixture(torch.ones(1, dtype=torch.float64), rows.mean(0, keepdim=True), variance.sqrt())


def fit_mixture(x: Tensor, components: int, seed: int = 0) -> Mixture:
    """A mixture of round Gaussians fitted to x: (N, dim) by expectation maximisation (scikit-learn), the best of five starts.

    Raises Refusal where scikit-learn is not installed, or there are fewer points than components.
    """
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError as error:
        raise Refusal("Fitting a mixture needs scikit-learn: install zerosum[theory].") from error
    rows = x.reshape(len(x), -1).double()
    if len(rows) < max(2, components):
        raise Refusal(f"A mixture of {components} needs at least as many points, not {len(rows)}.")
    start = key(seed, "baseline-mixture") % 2**32
    fit = GaussianMixture(components, covariance_type="spherical", n_init=5, tol=1e-6, max_iter=1000, random_state=start).fit(rows.numpy())
    weights, means, variances = (torch.from_numpy(t).double() for t in (fit.weights_, fit.means_, fit.covariances_))
    return Mixture(weights / weights.sum(), means, variances.sqrt())


def fit_logistic_d(x: Tensor, P: Tensor, Q: Tensor, steps: int = 50) -> Tensor:
    """Fit the D(x) = w . x + c of least minimax loss, by Newton's method: (dim + 1,), c last, float64.

    x: (N, dim) points with masses P of p_data and Q of p_g, (N,): the nodes of a Pair, or samples (1/n each on their own side).
    Raises Refusal where a hyperplane separates the two: the loss then has no minimum.
    """
    design = torch.cat([x.double(), torch.ones(len(x), 1, dtype=torch.float64)], 1)
    P, Q = P.double(), Q.double()
    none = torch.zeros(len(x), dtype=torch.float64)
    d = VALUES["minimax"].d

    def loss(w: Tensor) -> Tensor:
        a = design @ w
        return P @ d(a, none) + Q @ d(none, a)

    w = torch.zeros(design.shape[1], dtype=torch.float64)
    for _ in range(steps):
        move = _newton_step(loss, w)
        if move is None:
            break
        # A full step overshoots only far from the minimum: halve it until the loss falls.
        while float(loss(w - move)) > float(loss(w)) + 1e-15:
            move = move / 2
        w = w - move
        if float(move.abs().max()) < 1e-10 * (1 + float(w.abs().max())):
            return w
    raise Refusal("Logistic regression has no optimum where a hyperplane separates the two sides: its weights would grow without end.")


def _newton_step(loss: Callable[[Tensor], Tensor], w: Tensor) -> Tensor | None:
    """H^-1 grad loss at w, (d,); None where the curvature H is singular."""
    at = w.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(at), at, create_graph=True)
    # The Hessian row by row: there are dim + 1 parameters, so autograd is cheap and needs no formula.
    H = torch.stack([torch.autograd.grad(part, at, retain_graph=True)[0] for part in slope])
    move, singular = torch.linalg.solve_ex(H, slope.detach())
    return None if int(singular) or not bool(move.isfinite().all()) else move


def gaussian_d_star(mean_data: float, mean_g: float, std: float) -> Tensor:
    """(w, c) of D*'s logit for N(mean_data, std^2) against N(mean_g, std^2): log p_data - log p_g is linear in x."""
    # log N(mean_data) - log N(mean_g): the quadratic terms cancel for equal variances.
    w = (mean_data - mean_g) / std**2
    return torch.tensor([w, -w * (mean_data + mean_g) / 2], dtype=torch.float64)


def fit_softmax(x: Tensor, label: Tensor, classes: int, *, decay: float = 1e-4, steps: int = 100) -> Tensor:
    """Softmax regression: weights (dim + 1, classes), the bias last, that minimise mean cross-entropy + decay/2 |weights|^2.

    x: (N, dim), best scaled to about unit size. label: (N,), integers below classes. steps: of L-BFGS, over the whole set, from zero: the
    loss is convex, so nothing is random. In x's dtype.
    """
    weights = torch.zeros(x.shape[1] + 1, classes, dtype=x.dtype, device=x.device, requires_grad=True)
    optimiser: torch.optim.Optimizer = torch.optim.LBFGS(
        [weights], max_iter=steps, tolerance_grad=1e-7, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        optimiser.zero_grad()
        # Biases are not penalised: the choice of origin is no reason to shrink them.
        loss = cross_entropy(x @ weights[:-1] + weights[-1], label) + decay / 2 * weights[:-1].square().sum()
        torch.autograd.backward(loss)
        return float(loss.detach())

    optimiser.step(closure)
    return weights.detach()


def softmax_accuracy(weights: Tensor, x: Tensor, label: Tensor) -> float:
    """Share of x: (N, dim) whose likeliest class under `weights` (dim + 1, classes) is its label (N,)."""
    return float(((x @ weights[:-1] + weights[-1]).argmax(1) == label).double().mean())


def mean_log_likelihood(p: Mixture, x: Tensor) -> tuple[float, float]:
    """Mean log p(x) in nats over x: (N, dim), and its standard error."""
    each = p.log_prob(x.double())
    return float(each.mean()), float(each.std()) / math.sqrt(len(each))
