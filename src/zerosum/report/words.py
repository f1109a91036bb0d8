"""What each number means, in sentences for someone who trains a first GAN. One place, read by the page and the display."""

from __future__ import annotations

import math
from dataclasses import dataclass

NO_PROBABILITY = "This game's logit is no probability, so V(D, G), D(x) and D(G(z)) cannot be stated; see the logits and D's accuracy."


@dataclass(frozen=True)
class Curve:
    """title; meaning: what is drawn; wish: what one would like to see."""

    title: str
    meaning: str
    wish: str


CURVES: dict[str, Curve] = {
    "V": Curve(
        "The value of the game",
        "V(D, G) = E log D(x) + E log(1 - D(G(z))), in nats: how well D tells real from made. At 0 it is never wrong; where G has won and "
        "D can only guess, V is -log 4 = -1.386. The best possible D would have V = -log 4 + 2 JSD(p_data, p_g).",
        "You would like to see it below 0 and drifting towards the line. At 0 D has won and G learns little; below the line D is worse "
        "than guessing.",
    ),
    "probabilities": Curve(
        "D's belief",
        "The mean of D(x) on real samples and of D(G(z)) on made ones: the probability that D gives to “real”.",
        "You would like to see the two come together around 1/2. Pinned at 1 and 0, D is sure of itself and G has nothing to go by.",
    ),
    "accuracy": Curve(
        "How often D is right",
        "The share of samples (or, in a game of pairs, of pairs) that D judges rightly. It is seen on training data, so a D that "
        "learns the data by heart looks better than it is.",
        "You would like to see it between one half and about 0.9. At one half D can only guess; near 1 for long, D is winning.",
    ),
    "logits": Curve(
        "D's scores",
        "The mean logits a = D(x) of reals and b = D(G(z)) of fakes; the shade is one standard deviation. In a game that weighs "
        "differences (relativistic, wasserstein) their common level means nothing; the gap between them counts.",
        "You would like to see two bands that overlap. Bands that drift ever farther apart mean that D is winning.",
    ),
    "losses": Curve(
        "What the players pay",
        "Each player's own cost, the penalty not included. Thin lines: the costs at p_g = p_data, where D can only guess.",
        "You would like to see neither run away. A GAN's losses need not fall: each is measured against an opponent who learns too, and "
        "G's may rise while its samples get better.",
    ),
    "gradients": Curve(
        "The strength of the gradients",
        "The norms of the gradients by which D and G learn, on a logarithmic axis.",
        "You would like to see both level off. G's falling to nothing means that it has stopped learning; either leaping by powers of ten "
        "announces a break.",
    ),
    "penalty": Curve(
        "What steep slopes cost D",
        "gamma/2 times the penalty on D's gradient. It keeps D smooth, so that the game spirals into its equilibrium instead of around it.",
        "You would like to see it small beside D's loss, and steady. If it dwarfs the loss, gamma is too large; if it leaps, too small.",
    ),
    "speed": Curve(
        "Speed",
        "Real samples shown to D a second.",
        "You would like to see it level. A drop is most often another program on the same machine.",
    ),
}

# Costs (of D, of G) where p_g = p_data and D is at its best: D(x) = 1/2, that is a = b = 0; for least squares a = b = 1/2.
# A test computes them from game/value.py; a report loads no torch. Wasserstein's critic is free up to a constant and
# hinge's anywhere between -1 and 1, so there G has no such cost.
EQUILIBRIUM: dict[str, tuple[float, float | None]] = {
    "minimax": (2 * math.log(2), -math.log(2)),
    "non_saturating": (2 * math.log(2), math.log(2)),
    "least_squares": (0.25, 0.125),
    "wasserstein": (0.0, None),
    "hinge": (2.0, None),
    "relativistic": (math.log(2), math.log(2)),
}

# By a score's `better`.
WISHES: dict[str, str] = {
    "lower": "You would like to see it fall to the dotted line, and stay.",
    "higher": "You would like to see it rise to the dotted line, and stay.",
    "floor": "You would like to see it at the dotted line; away from it on either side is worse.",
}

STOPS: dict[str, str] = {
    "finished": "Finished.",
    "interrupted": "Interrupted; it can be resumed.",
    "minutes": "Its minutes were over.",
    "plateaued": "It reached a plateau: it no longer improved.",
    "not finite": "Stopped, for a number was no longer finite.",
    "error": "Stopped by an error.",
}
