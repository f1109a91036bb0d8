"""Muon: update each weight matrix by its gradient with all singular values equal (Jordan et al. 2024, kellerjordan.github.io/posts/muon).

A gradient of few samples has a few large singular values and many small ones. Adam, which scales single entries, follows the large ones.
The orthogonal factor U V^T of G = U S V^T treats every direction alike; it is steepest descent in the spectral norm (Bernstein and
Newhouse 2024, arXiv 2409.20325). PyTorch's own torch.optim.Muon does not accept convolutions, which are most of a GAN's matrices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from zerosum.play.adam import Adam

# p(s) = a s + b s^3 + c s^5, five times over, brings singular values of 0.002 to 1 into 0.7 to 1.2: Jordan et al. 2024.
A, B, C = 3.4445, -4.7750, 2.0315
NEWTON_SCHULZ_STEPS = 5


def is_matrix(p: Tensor) -> bool:
    """Whether a weight is a matrix of more than one row: rows are outputs (of a transposed convolution, inputs), columns all the rest."""
    return p.ndim > 1 and min(p.shape[0], p[0].numel()) > 1


def whitener(gram: Tensor) -> Tensor:
    """P with P G nearly U V^T for G = U S V^T, from gram = G G^T (m, m): singular values of P G lie between 0.7 and 1.2, except where G's
    are below 0.002 ||G||.

    Newton and Schulz's iteration X <- a X + b (X X^T) X + c (X X^T)^2 X is a polynomial in X X^T times X, so it runs on the Gram matrix
    alone: two products with G itself in all, rather than ten.
    """
    square = gram.diagonal().sum() + 1e-24
    gram = gram / square
    product = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for step in range(NEWTON_SCHULZ_STEPS):
        p = torch.addmm(gram, gram, gram, beta=B, alpha=C)
        p.diagonal().add_(A)
        product = p @ product
        if step < NEWTON_SCHULZ_STEPS - 1:
            gram = p @ gram @ p
    return product / square.sqrt()


class Muon(Adam):
    """Muon for matrices; Adam for biases, single rows and tables of class embeddings, whose rows are unrelated. One optimiser for all.

    A matrix's update is scaled so that the root mean square of its entries is the learning rate, which Adam's is close to (Liu et al. 2025,
    arXiv 2502.16982, section 2.2). So one learning rate serves both.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        """groups: of parameters, as for any optimiser. betas: the decay of matrices' gradients' mean (0 is none), and Adam's two."""
        apart = [
            {**g, "params": part, "matrix": matrix}
            for g in groups
            for matrix in (True, False)
            if (part := [p for p in g["params"] if (is_matrix(p) and not g.get("table")) == matrix])
        ]
        super().__init__(apart, lr=lr, betas=betas)

    def _update(self, group: dict[str, Any], skip: Tensor | None) -> None:
        if not group["matrix"]:
            super()._update(group, skip)
            return
        for p in group["params"]:
            self._update_matrix(p, group["lr"], group["betas"][0], skip)

    def _update_matrix(self, p: Tensor, lr: float, beta1: float, skip: Tensor | None) -> None:
        if p.grad is None:
            return
        G = p.grad
        if beta1:
            mean = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
            # Once NaN or infinity enters the mean, it stays: such a gradient is left out.
            mean.copy_(torch.where(skip > 0, mean, mean.lerp(G, 1 - beta1)) if skip is not None else mean.lerp(G, 1 - beta1))
            G = mean
        G = G.flatten(1)
        wide = G.shape[0] <= G.shape[1]
        gram = G @ G.T if wide else G.T @ G
        P = whitener(gram)
        # ||P G||^2 = tr(P G G^T P).
        scale = -lr * (G.numel() / ((P @ gram * P).sum() + 1e-24)).sqrt()
        P = P * (scale if skip is None else torch.where(skip > 0, 0.0, scale))
        if skip is not None:
            G = torch.where(skip > 0, 0.0, G)
        if p.ndim == 2:
            p.addmm_(P, G) if wide else p.addmm_(G, P)
        else:
            p.add_((P @ G if wide else G @ P).view(p.shape))
