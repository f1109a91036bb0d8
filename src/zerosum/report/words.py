"""What each curve means, in sentences for someone who trains a first GAN. The page and the display read them here."""

from __future__ import annotations

from dataclasses import dataclass

NO_PROBABILITY = "D's output is not a probability in this game, so V(D, G), D(x) and D(G(z)) are not defined. Read its logits instead."


@dataclass(frozen=True)
class Curve:
    """title; meaning: what is drawn; healthy: what a good run looks like, and what a deviation means."""

    title: str
    meaning: str
    healthy: str


CURVES: dict[str, Curve] = {
    "distance": Curve(
        "Distance to held-out real samples",
        "How far the averaged generator's samples are from held-out real ones, by the checks of the run: 0 is as close as real samples are "
        "to one another, 1 is nothing in common.",
        "Healthy: a fall towards 0, which is what real samples score. The verdict explains a rise, or a level far from 0.",
    ),
    "V": Curve(
        "Value of the game",
        "V(D, G) = E log D(x) + E log(1 - D(G(z))), in nats: how well D separates real from generated samples. At 0 it is never wrong. "
        "Where p_g = p_data and D can only guess, V is -log 4 = -1.386. The optimal D has V = -log 4 + 2 JSD(p_data, p_g).",
        "Healthy: below 0 and moving towards the line. At 0 G learns little; below the line D is worse than guessing.",
    ),
    "probabilities": Curve(
        "Output of D",
        "The mean of D(x) on real samples and of D(G(z)) on generated ones: the probability of being real, according to D.",
        "Healthy: both approach 1/2. At 1 and 0 for long, D is certain, and G's gradient may vanish.",
    ),
    "accuracy": Curve(
        "Accuracy of D",
        "The share of samples (in a relativistic game, of pairs) that D classifies correctly. It is measured on training data, so an "
        "overfitted D looks better than it is.",
        "Healthy: between 50 % and about 90 %. At 50 % D can only guess; near 100 % for long, G's gradient may vanish.",
    ),
    "logits": Curve(
        "Logits of D",
        "The mean logits a = D(x) of real samples and b = D(G(z)) of generated ones; the shaded band is one standard deviation. "
        "In a game of differences (relativistic, wasserstein) only the gap between them has a meaning, not their level.",
        "Healthy: bands that overlap. If they keep moving apart, G is not keeping up with D.",
    ),
    "losses": Curve(
        "Losses",
        "The discriminator loss and the generator loss, without the penalty. Thin lines: their values at p_g = p_data, where "
        "they are known: D can only guess.",
        "Healthy: neither grows without end. The losses of a GAN need not fall, since each player's opponent learns too: G's loss may rise "
        "while its samples get better.",
    ),
    "gradients": Curve(
        "Gradient norms",
        "The norms of D's and G's gradients, on a logarithmic axis.",
        "Healthy: both level off. If G's falls towards 0, G has stopped learning; if either jumps by powers of ten, training is about to "
        "break down.",
    ),
    "penalty": Curve(
        "Gradient penalty",
        "gamma/2 times the penalty on D's gradient. It keeps D smooth, which damps the oscillation of the two players.",
        "Healthy: small compared with D's loss, and steady. Larger than the loss: gamma is too large. Jumps: gamma is too small.",
    ),
    "speed": Curve(
        "Speed",
        "Real samples shown to D per second (higher is better).",
        "Healthy: constant. A drop usually means that another program uses the machine.",
    ),
}

# By a score's `better`: next to a number, in a table's column "better", and under a curve. REFERENCE: the heading of a table's column with
# what real data score.
DIRECTIONS: dict[str, str] = {"lower": "lower is better", "higher": "higher is better", "floor": "closest to real data is best"}
BETTER: dict[str, str] = {"lower": "lower", "higher": "higher", "floor": "closest"}
REFERENCE = "reference score"
HEALTHY_SCORES: dict[str, str] = {
    "lower": "Lower is better: healthy is a fall to the dotted line.",
    "higher": "Higher is better: healthy is a rise to the dotted line.",
    "floor": "The dotted line is best: a score away from it on either side is worse.",
}

STOPS: dict[str, str] = {
    "finished": "Finished.",
    "interrupted": "Interrupted; you can resume it.",
    "minutes": "Stopped after the given minutes.",
    "plateaued": "Stopped at a plateau: it no longer improved.",
    "not finite": "Stopped because a number was not finite.",
    "error": "Stopped by an error.",
}

# What to do next, by the reason for which a run ended; "" for one that has not ended.
NEXT: dict[str, str] = {
    "finished": "Draw new samples, compute every measure against the held-out test part, or train for longer.",
    "interrupted": "Resume it: it goes on exactly where it stopped.",
    "minutes": "Resume it: it had not reached the end of its schedule when its minutes were over.",
    "plateaued": "Draw new samples, or compute every measure against the held-out test part. Training longer with the same options is "
    "unlikely to help: follow the advice of the verdict in a new run.",
    "not finite": "Read the verdict: it says what to change in a new run.",
    "error": "Read what stopped it, above, and the verdict.",
    "": "If it is still training, look again later. If its process was killed, resume it.",
}
