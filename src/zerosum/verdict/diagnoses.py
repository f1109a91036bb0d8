"""The diagnoses, in order of precedence: what each means, which symptoms make it, and which options to change."""

from __future__ import annotations

from typing import NamedTuple


class Suggestion(NamedTuple):
    """A change of one option.

    option: its flag's name without dashes. why: half a sentence. factor: multiply the present value by it. value: the new value instead;
    with a factor above 1, the least new value, also where the present one is 0. Without either, `why` alone is said.
    """

    option: str
    why: str
    factor: float | None = None
    value: object = None


class Diagnosis(NamedTuple):
    """One state of a run.

    name, meaning: as users read them; the meaning is a sentence for a beginner. trouble: whether the user should do something. needs:
    symptoms that must all be present; instead: or all of these, whether the run improves or not. some: symptoms of which at least one must
    be present, where there are any. also: symptoms that the evidence mentions where they are present. unless_improving: a run that still
    improves does not get this diagnosis. alone: every trouble ends in it, so it is named only where there is no other. suggestions:
    options to change, most useful first.
    """

    name: str
    meaning: str
    trouble: bool
    needs: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    unless_improving: bool = True
    alone: bool = False
    instead: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


SMALLER_STEPS = (Suggestion("d.lr", "smaller steps", factor=0.3), Suggestion("g.lr", "smaller steps", factor=0.3))

# Causes come before effects: a weak D lets G oscillate, an oscillating G collapses again and again, and all of them make a run stall.
TROUBLES: tuple[Diagnosis, ...] = (
    Diagnosis(
        "diverged",
        "Training has broken down: generated samples are no longer near the data.",
        True,
        needs=("spread exploded", "off the data"),
        unless_improving=False,
        suggestions=(
            Suggestion("d.lr", "smaller steps", factor=0.1),
            Suggestion("g.lr", "smaller steps", factor=0.1),
            Suggestion("game.penalty", "it limits D's gradient", value="r1r2"),
        ),
    ),
    Diagnosis(
        "memorisation",
        "G reproduces training samples instead of generalising from them.",
        True,
        needs=("nearest is a training sample", "copies"),
        unless_improving=False,
        suggestions=(
            Suggestion("data.limit", "more training samples are harder to memorise; use all you have"),
            Suggestion("net.width", "a smaller G", factor=0.5),
        ),
    ),
    Diagnosis(
        "discriminator overfitting",
        "D has memorised its training samples, so its gradient pulls G towards those samples instead of towards the data distribution.",
        True,
        needs=("D overfits",),
        some=("worse than its best", "far", "D overfits strongly"),
        also=("r_t is high",),
        unless_improving=False,
        suggestions=(
            Suggestion("game.penalty", "it limits D's gradient", value="r1r2"),
            Suggestion("game.augment", "D sees each image transformed in many ways (Zhao et al. 2020)", value="diffaugment"),
            Suggestion("game.gamma", "a smoother D", factor=10.0, value=1.0),
            Suggestion("net.width", "a smaller D", factor=0.5),
            Suggestion("data.flip", "mirrored images are new to D", value=True),
        ),
    ),
    Diagnosis(
        "weak discriminator",
        "D cannot separate generated samples from real ones although they differ, so G gets no useful gradient.",
        True,
        needs=("D separates little", "separable"),
        instead=("D's logits are flat",),
        also=("parts missing", "low diversity"),
        suggestions=(
            Suggestion("d.lr", "D learns faster", factor=3.0, value=2e-4),
            Suggestion("game.k", "D learns more often", factor=2.0),
            Suggestion("game.gamma", "D may be less smooth", factor=0.1),
            Suggestion("net.width", "a larger D", factor=2.0),
        ),
    ),
    Diagnosis(
        "oscillation",
        "G and D circle around the equilibrium: generated samples keep changing and get no better.",
        True,
        needs=("G keeps changing", "not near"),
        some=("G is far from its EMA", "distance jumps", "distance reverses"),
        suggestions=(
            Suggestion("game.penalty", "it damps the oscillation (Mescheder et al. 2018)", value="r1r2"),
            Suggestion("game.gamma", "more damping", factor=3.0, value=1.0),
            *SMALLER_STEPS,
            Suggestion("d.beta1", "momentum sustains the oscillation", value=0.0),
        ),
    ),
    Diagnosis(
        "mode collapse",
        "G produces only a few kinds of sample and misses the rest of the data (the Helvetica scenario of Goodfellow et al. 2014).",
        True,
        needs=("parts lost",),
        some=("low diversity", "precise but incomplete", "coverage fell"),
        suggestions=(
            Suggestion("game.penalty", "it keeps D from chasing a collapsed G around", value="r1r2"),
            Suggestion("game.value", "each generated sample is compared with a real one", value="relativistic"),
            Suggestion("game.g_steps", "G must not get ahead of D", value=1),
            Suggestion("g.lr", "G must not get ahead of D", factor=0.3),
        ),
    ),
    Diagnosis(
        "vanishing gradients",
        "D separates generated from real samples almost perfectly and G does not improve: its gradient carries almost no information.",
        True,
        needs=("D separates nearly all", "far"),
        some=("gradient vanished", "G unchanged", "D's loss is near 0"),
        suggestions=(
            Suggestion("game.value", "its gradient for G does not vanish where D is certain", value="relativistic"),
            Suggestion("game.penalty", "it limits D's gradient", value="r1r2"),
            Suggestion("g.lr", "G learns faster", factor=3.0, value=2e-4),
            Suggestion("game.k", "D learns less often", value=1),
            Suggestion("d.lr", "D learns more slowly", factor=0.3),
        ),
    ),
    Diagnosis(
        "stalled",
        "G is far from the data and no longer improves.",
        True,
        needs=("far", "no progress"),
        also=("worse than its best",),
        alone=True,
        suggestions=(
            Suggestion("g.lr", "G learns faster", factor=3.0, value=2e-4),
            Suggestion("d.lr", "D learns faster", factor=3.0, value=2e-4),
            Suggestion("game.penalty", "a D with a limited gradient guides G further", value="r1r2"),
            Suggestion("game.gamma", "D may be less smooth", factor=0.1),
            Suggestion("net.width", "larger nets", factor=2.0),
        ),
    ),
)
CONVERGED = Diagnosis(
    "converged",
    "Generated samples are as close to the data as other real samples are, as far as a check can see. Training longer is not needed.",
    False,
)
PLATEAUED = Diagnosis(
    "plateaued",
    "The distance from the data no longer falls by more than its noise, and is not known to be as small as that of real samples.",
    False,
    suggestions=(
        Suggestion("minutes", "a longer run, whose learning rates decay later, often comes nearer"),
        Suggestion("net.width", "larger nets describe the data better", factor=2.0),
        Suggestion("batch", "less noise in the gradients", factor=2.0),
        Suggestion("game.gamma", "D may be less smooth", factor=0.3),
    ),
)
IMPROVING = Diagnosis("improving", "Generated samples are getting closer to the data.", False)
EARLY = Diagnosis(
    "too early to say",
    "There are too few checks, the distance varies too much from check to check, or the learning rates still have far to decay.",
    False,
)

DIAGNOSES: dict[str, Diagnosis] = {diagnosis.name: diagnosis for diagnosis in (*TROUBLES, CONVERGED, PLATEAUED, IMPROVING, EARLY)}
