"""Which backend computes a game on this machine: the closed form where the nets allow it, else autograd."""

from __future__ import annotations

import torch

from zerosum.engine.backend import Autograd, Backend
from zerosum.engine.bf16_copy import bf16_copies, routes_of, with_routes
from zerosum.engine.closed_form import ClosedForm, owns_all_weights
from zerosum.engine.networks import Networks
from zerosum.engine.passes import Chain, GeneratorPasses
from zerosum.game.penalty import Penalty
from zerosum.game.value import Value
from zerosum.nets import chain_of, perceptron_of
from zerosum.nets.traits import uses_batch_statistics
from zerosum.play.device import Execution
from zerosum.play.players import Players


def networks_for(players: Players, execution: Execution) -> Networks:
    """The players as the execution computes them. A person's own modules may be of float64: then samples and logits are too."""
    modules = {"d": players.D, "g": players.G}
    copies = bf16_copies(modules, execution.routes) if execution.engine == "bf16_copy" else {}
    dtype = torch.promote_types(next(players.G.parameters()).dtype, torch.float32)
    computing = {} if copies else {letter: with_routes(module, routes_of(execution.routes, letter)) for letter, module in modules.items()}
    return Networks(modules, copies, execution.arithmetic, dtype, players.labelled, computing)


def backend_for(networks: Networks, players: Players, value: Value, penalty: Penalty | None, execution: Execution) -> Backend:
    """The closed form where the execution allows it and D is a chain that owns all of its weights; else autograd."""
    chain = _chain(networks) if execution.closed_form else None
    if chain is None:
        return Autograd(networks, value, penalty, together=not uses_batch_statistics(players.D))
    low = execution.precision == "bf16"
    # G's own passes are for small float32 nets, whose steps are spent between the products.
    generator = None if low else _generator_passes(networks)
    return ClosedForm(networks, value, penalty, chain, torch.bfloat16 if low else networks.dtype, generator)


def _chain(networks: Networks) -> Chain | None:
    D = networks.modules["d"]
    steps = chain_of(D)
    chain = None if steps is None else Chain(steps, getattr(D, "embedding", None))
    return chain if chain is not None and owns_all_weights(chain, D) else None


def _generator_passes(networks: Networks) -> GeneratorPasses | None:
    G = networks.modules["g"]
    steps = perceptron_of(G)
    passes = None if steps is None else GeneratorPasses(steps)
    return passes if passes is not None and {*G.parameters()} == {*passes.weights} else None
