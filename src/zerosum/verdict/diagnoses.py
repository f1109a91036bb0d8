"""The states of a run, in order of precedence: what each means, which signs make it, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple


class Turn(NamedTuple):
    """A knob to turn. by: factor on its present value; to: the value instead, also where the present one is 0. why: half a sentence."""

    knob: str
    why: str
    by: float | None = None
    to: object = None


class State(NamedTuple):
    """One state.

    meaning: a sentence for a beginner. trouble: whether something should be done. needs: signs that must all stand; some: signs of which
    one must stand too, where there are any. told: signs that are told besides where they stand. unless_improving: a run that still comes
    nearer is not in it. alone: it is what every trouble ends in, and is told where there is no other. turns: what to change, in order.
    """

    name: str
    meaning: str
    trouble: bool
    needs: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    unless_improving: bool = True
    alone: bool = False
    turns: tuple[Turn, ...] = ()


GENTLER = (Turn("d.lr", "smaller steps", by=0.3), Turn("g.lr", "smaller steps", by=0.3))

# Causes stand before what they cause: a blind D lets G run in circles, in circles it collapses again and again, and all make a run stall.
TROUBLES: tuple[State, ...] = (
    State(
        "diverged",
        "The numbers have run away: what G makes is no longer near the data at all.",
        True,
        needs=("burst", "off the data"),
        unless_improving=False,
        turns=(
            Turn("d.lr", "smaller steps", by=0.1),
            Turn("g.lr", "smaller steps", by=0.1),
            Turn("game.penalty", "it holds D's slopes", to="r1r2"),
        ),
    ),
    State(
        "memorising",
        "G copies training items instead of learning what they have in common.",
        True,
        needs=("near training items", "copies"),
        unless_improving=False,
        turns=(
            Turn("data.limit", "more training items leave nothing to copy; use all that there are"),
            Turn("net.width", "a smaller G", by=0.5),
        ),
    ),
    State(
        "overfitting",
        "D knows its training items by heart: what it tells G is no longer about the data, but about those items.",
        True,
        needs=("D knows its reals",),
        some=("worse than it was", "far", "by heart"),
        told=("D is sure of training reals",),
        unless_improving=False,
        turns=(
            Turn("game.penalty", "it holds D's slopes", to="r1r2"),
            Turn("game.gamma", "a smoother D", by=10.0, to=1.0),
            Turn("net.width", "a smaller D", by=0.5),
            Turn("data.flip", "mirrored images are new to D", to=True),
        ),
    ),
    State(
        "D blind",
        "D is fooled although the fakes are bad: it cannot see what is wrong, so G is not told.",
        True,
        needs=("D tells little", "a fresh D tells"),
        told=("missing", "narrow"),
        turns=(
            Turn("d.lr", "D learns faster", by=3.0, to=2e-4),
            Turn("game.k", "D learns more often", by=2.0),
            Turn("game.gamma", "D may be less smooth", by=0.1),
            Turn("net.width", "a larger D", by=2.0),
        ),
    ),
    State(
        "oscillating",
        "G and D chase each other in circles: what G makes keeps changing and gets no better.",
        True,
        needs=("G wanders", "not near"),
        some=("G leaves its average", "jumps", "turns"),
        turns=(
            Turn("game.penalty", "it damps the circling (Mescheder et al. 2018)", to="r1r2"),
            Turn("game.gamma", "more damping", by=3.0, to=1.0),
            *GENTLER,
            Turn("d.beta1", "momentum feeds the circling", to=0.0),
        ),
    ),
    State(
        "collapsing",
        "G makes only a few kinds of sample and leaves out the rest of the data (the Helvetica scenario).",
        True,
        needs=("parts lost",),
        some=("narrow", "only a part", "fell"),
        turns=(
            Turn("game.penalty", "it keeps D from chasing a collapsed G around", to="r1r2"),
            Turn("game.value", "each fake is compared with a real", to="relativistic"),
            Turn("game.g_steps", "G must not run ahead of D", to=1),
            Turn("g.lr", "G must not run ahead of D", by=0.3),
        ),
    ),
    State(
        "discriminator winning",
        "D tells every fake from every real, and G gets no nearer: it has little to learn from.",
        True,
        needs=("D is sure", "far"),
        some=("G's gradient", "G stands", "D tells all"),
        turns=(
            Turn("game.value", "G's gradient does not vanish where D is sure", to="relativistic"),
            Turn("game.penalty", "it holds D's slopes", to="r1r2"),
            Turn("g.lr", "G learns faster", by=3.0, to=2e-4),
            Turn("game.k", "D learns less often", to=1),
            Turn("d.lr", "D learns more slowly", by=0.3),
        ),
    ),
    State(
        "stalled",
        "It is far from the data and no longer comes nearer.",
        True,
        needs=("far", "does not move"),
        told=("worse than it was",),
        alone=True,
        turns=(
            Turn("g.lr", "G learns faster", by=3.0, to=2e-4),
            Turn("d.lr", "D learns faster", by=3.0, to=2e-4),
            Turn("game.penalty", "where D's slopes are held G is led further", to="r1r2"),
            Turn("game.gamma", "D may be less smooth", by=0.1),
            Turn("net.width", "larger nets", by=2.0),
        ),
    ),
)
SETTLED = State("settled", "It is as near to the data as it gets with these knobs: its score no longer moves beyond its noise.", False)
IMPROVING = State("improving", "What G makes comes nearer to the data.", False)
EARLY = State(
    "too early to say",
    "It cannot be told yet: the checks are few, or the score moves too much from one to the next, or its learning rates have far to fall.",
    False,
)

STATES: dict[str, State] = {state.name: state for state in (*TROUBLES, SETTLED, IMPROVING, EARLY)}
