"""Algorithm 1 of Goodfellow et al. 2014 in the parts that slow motion shows, in turn."""

from __future__ import annotations

from typing import NamedTuple


class Phase(NamedTuple):
    """part: which part of the model's graph lights up. text: a sentence. updated: the players that already have their new weights."""

    part: str
    text: str
    updated: str


PHASES = (
    Phase("data", "Draw a minibatch of real samples x from p_data.", ""),
    Phase("noise", "Draw a minibatch of noise z from the prior, and let G turn it into generated samples G(z).", ""),
    Phase("d_loss", "D judges both: its loss is low where D(x) is high and D(G(z)) is low.", ""),
    Phase("d_update", "Update D along the gradient of its loss; with k updates in a step, this is done k times.", "D"),
    Phase("g_noise", "Draw a new minibatch of noise z, and let G turn it into samples.", "D"),
    Phase("g_loss", "D judges them. G's gradient flows back through D: the arrows show where each sample should move.", "D"),
    Phase("g_update", "Update G along that gradient. One step of Algorithm 1 is complete.", "DG"),
)
