"""Preliminaries: maximum likelihood and regression, compared with the game."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from zerosum.chance import generator
from zerosum.data.density import Mixture, bimodal, gaussian, mixture
from zerosum.theory.baseline import fit_gaussian, fit_logistic_d, fit_mixture, fit_softmax, gaussian_d_star, softmax_accuracy
from zerosum.theory.optimum import jsd, v, v_star
from zerosum.theory.pair import line
from zerosum.theory.statement import Statement, statement


def preliminaries() -> list[Statement]:
    """Statement 9."""
    return _likelihood() + _logistic() + _softmax()


def _likelihood() -> list[Statement]:
    p_data = bimodal()
    x = p_data.sample(10_000, generator(0, "theory-likelihood"))
    fit = fit_gaussian(x)
    mean, std = (t.clone().requires_grad_() for t in (fit.means, fit.stds))
    likelihood = Mixture(fit.weights, mean, std).log_prob(x.double()).mean()
    slopes = torch.cat([t.flatten() for t in torch.autograd.grad(likelihood, (mean, std))])
    # As n grows the fit converges to the Gaussian of p_data's own mean 0 and variance 4 + 1/4.
    limit = jsd(line(p_data, mixture([1.0], [0.0], [4.25**0.5])))
    rows = [
        statement("the Gaussian fit: gradient of its log-likelihood", "closed form", 0.0, float(slopes.abs().max()), 1e-12),
        statement("JSD of bimodal and its maximum-likelihood Gaussian, nats", "quadrature", limit, jsd(line(p_data, fit)), 2e-3),
    ]
    if find_spec("sklearn") is not None:
        apart = jsd(line(p_data, fit_mixture(x, 2)))
        rows.append(statement("JSD of bimodal and its maximum-likelihood mixture, nats", "scikit-learn", 0.0, apart, 1e-3))
    return rows


def _logistic() -> list[Statement]:
    """The logit of D* for two Gaussians of equal variance is linear, so logistic regression contains it."""
    rows = []
    for mean, std in ((1.0, 1.0), (-2.0, 1.5)):
        pair = line(mixture([1.0], [0.0], [std]), mixture([1.0], [mean], [std]))
        w = fit_logistic_d(pair.x, pair.P, pair.Q)
        distance = float((w - gaussian_d_star(0.0, mean, std)).abs().max())
        name = f"N(0,{std:g}^2) and N({mean:g},{std:g}^2)"
        rows.append(statement(f"logistic regression is D*, {name}: distance of the coefficients", "closed form", 0.0, distance, 1e-6))
        rows.append(
            statement(
                f"V of logistic regression is V(D*, G), {name}: nats", "Theorem 1", v_star(pair), v(pair, pair.x[:, 0] * w[0] + w[1]), 1e-9
            )
        )
    return rows


def _softmax() -> list[Statement]:
    """Three round Gaussians of equal variance: the posterior is a softmax of linear functions, and no other rule classifies better."""
    n = 4000
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    noise = gaussian().sample(6 * n, generator(0, "theory-softmax")).double().reshape(3 * n, 2)
    label = torch.arange(3 * n) % 3
    x = centres[label] + noise
    fitted = softmax_accuracy(fit_softmax(x, label, 3), x, label)
    best = float((torch.cdist(x, centres).argmin(1) == label).double().mean())
    return [statement("accuracy of softmax regression, compared with Bayes' rule", "equal covariances", best, fitted, 0.005)]
