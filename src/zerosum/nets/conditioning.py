"""How the nets take a class label y: joined to the noise in G, and as a projection in D.

G: a learned vector for each class is appended to z (Mirza and Osindero 2014, arXiv 1411.1784, figure 1, with an embedding for the one-hot
label). D: the logit of x and y is head(h) + <embed(y), h>, where h are the features that D's last Linear layer reads (Miyato and Koyama
2018, arXiv 1802.05637, eq. 3). A net without classes has no embedding, and does not look at y.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.nets.init import ClassProjection, initialise, normal_

# G's vector of a class has as many numbers as z, so that noise and class have equal shares in the first layer's output. Where z has few,
# it has this many, so that the vectors of different classes are far apart at initialisation.
LEAST_EMBEDDING = 16
HALF_VARIANCE = 0.5**0.5  # times a weight: half of the variance


def conditional(option: str, classes: Sequence[str]) -> int:
    """How many classes the nets of a run are told apart by: 0 for an unconditional run.

    option: the config's net.classes. classes: the names of the classes in the data, none where they have none. A single class tells nets
    nothing.
    """
    return len(classes) if option == "auto" and len(classes) > 1 else 0


def takes_labels(module: nn.Module) -> bool:
    """Whether a module's forward has a parameter called `y`; one without is called with a single argument. Ask once, not in every step."""
    return "y" in signature(module.forward).parameters


def _table(kind: type[nn.Embedding], classes: int, width: int) -> nn.Embedding:
    # nn.Embedding's own constructor would draw the numbers first: with PyTorch's compiler, on the meta device (nets/init.py).
    return kind.from_pretrained(torch.empty(classes, width), freeze=False)  # type: ignore[no-any-return, no-untyped-call]


def class_input(classes: int, dim: int) -> nn.Embedding | None:
    """G's embedding for noise of `dim` numbers, drawn from N(0, 1) as z is; None without classes."""
    if not classes:
        return None
    embedding = _table(nn.Embedding, classes, max(dim, LEAST_EMBEDDING))
    initialise(embedding)
    return embedding


def input_size(dim: int, embedding: nn.Embedding | None) -> int:
    """How many numbers `with_class` gives for noise of `dim` numbers."""
    return dim if embedding is None else dim + embedding.embedding_dim


def with_class(z: Tensor, y: Tensor | None, embedding: nn.Embedding | None) -> Tensor:
    """z (N, dim) with the vectors of the classes y (N,) appended; for weights y (N, classes), with the weighted sum of all vectors."""
    if embedding is None:
        return z
    y = _required(y)
    vectors = y.to(embedding.weight.dtype) @ embedding.weight if y.is_floating_point() else embedding(y)
    return torch.cat((z, vectors.to(z.dtype)), 1)


def class_projection(classes: int, head: nn.Linear, std: float | None = None) -> nn.Embedding | None:
    """D's embedding for the features that `head` reads; None without classes. Call it when the head has its weights.

    std: of the head's weights, where they are not drawn by fan-in. The head and the embedding are added: each gets half of the variance.
    """
    if not classes:
        return None
    embedding = _table(ClassProjection, classes, head.in_features)
    initialise(embedding)
    if std is not None:
        normal_(embedding.weight, 0.0, std)
    if not head.weight.is_meta:
        with torch.no_grad():
            for weight in (head.weight, embedding.weight):
                weight.mul_(HALF_VARIANCE)
    return embedding


def projected(logits: Tensor, h: Tensor, y: Tensor | None, embedding: nn.Embedding | None) -> Tensor:
    """logits (N,) of the head with <embed(y), h> added, for features h (N, features) and classes y (N,)."""
    return logits if embedding is None else logits + (embedding(_required(y)) * h).sum(1)


def _required(y: Any) -> Tensor:
    if y is None:
        raise ValueError("This net is conditional: call it with y, an int64 tensor of one class number for each sample.")
    labels: Tensor = y
    return labels
