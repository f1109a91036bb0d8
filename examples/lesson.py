# ruff: noqa: E402
# %% [markdown]
# # The theory of GANs, measured
#
# This is the argument of Goodfellow et al. 2014, *Generative Adversarial Nets* (arXiv 1406.2661), for a reader who knows calculus. Each
# formula stands beside the line of zerosum that computes it and beside the number that comes out. `zerosum prove` prints all of it as one
# table.
#
# The page, the notebook `examples/lesson.ipynb` and the program `examples/lesson.py` are one text: `make lesson` runs the program and
# writes the other two. It takes about two minutes.

# %%
import torch

from zerosum.data.density import bimodal, gaussian, mixture
from zerosum.report.style import png


class Picture:
    """A figure as a notebook shows it."""

    def __init__(self, drawing, dpi=100):
        self.content = png(drawing, dpi)

    def _repr_png_(self):
        return self.content


# %% [markdown]
# ## 1. What came before: likelihood
#
# Given points $x_1 \dots x_n$ from an unknown law $p_{data}$ and a family of densities $p_\theta$, *maximum likelihood* takes the
# $\theta$ with the largest mean of $\log p_\theta(x_i)$. For a Gaussian, setting the derivatives to zero gives the mean and the variance
# of the points. It is the best Gaussian, which is of no help where the points are not Gaussian: here they come from two bumps, half of
# them about -2 and half about 2. How far two laws are apart we measure by the Jensen-Shannon divergence, 0 for equal laws and $\log 2 =
# 0.693$ for laws that never overlap:
#
# $$JSD(p, q) = H(\tfrac{p + q}{2}) - \tfrac{1}{2} H(p) - \tfrac{1}{2} H(q)$$
#
# ```python
# # src/zerosum/theory/optimum.py
#     M = (pair.P + pair.Q) / 2
#     return float((xlogy(pair.P, pair.P) / 2 + xlogy(pair.Q, pair.Q) / 2 - xlogy(M, M)).sum())
# ```

# %%
from zerosum.chance import generator
from zerosum.theory.baseline import fit_gaussian, fit_mixture
from zerosum.theory.optimum import jsd
from zerosum.theory.pair import line

p_data = bimodal()
x = p_data.sample(10_000, generator(0, "lesson"))
print(f"the likeliest Gaussian:             JSD {jsd(line(p_data, fit_gaussian(x))):.5f} nats")
print(f"the likeliest mixture of two:       JSD {jsd(line(p_data, fit_mixture(x, 2))):.5f} nats")

# %% [markdown]
# The mixture fits, because we knew the form of the answer. For photographs nobody does, and the integral that makes a density of a
# flexible function cannot be had. What can be had is a machine that *draws* samples, and another that tells samples apart.
#
# ## 2. Telling two laws apart
#
# *Logistic regression* says with which probability $D(x) = \sigma(w x + c)$, $\sigma(a) = 1 / (1 + e^{-a})$, a point is of the first of
# two kinds rather than of the second, and pays $-\log D$ on the one and $-\log(1 - D)$ on the other. For two Gaussians of equal variance
# the true odds are exactly of this form: $\log p(x) - \log q(x)$ is linear in $x$. *Softmax regression* does the same for ten kinds at
# once, such as the digits.

# %%
from zerosum.data.mnist import digits
from zerosum.theory.baseline import fit_logistic_d, fit_softmax, gaussian_d_star, softmax_accuracy

pair = line(gaussian(), mixture([1.0], [1.0], [1.0]))
fitted, exact = fit_logistic_d(pair.x, pair.P, pair.Q), gaussian_d_star(0.0, 1.0, 1.0)
print(f"N(0,1) or N(1,1)?  fitted w {fitted[0]:.6f}, c {fitted[1]:.6f}; exact w {exact[0]:.6f}, c {exact[1]:.6f}")


def rows(part, n):
    images, labels = digits(part)
    return torch.from_numpy(images[:n].copy()).flatten(1).float() / 255, torch.from_numpy(labels[:n].copy()).long()


weights = fit_softmax(*rows("train", 5000), classes=10, decay=1e-3)
print(f"softmax regression reads {softmax_accuracy(weights, *rows('t10k', 5000)):.1%} of 5,000 test digits")

# %% [markdown]
# ## 3. The counterfeiters and the police
#
# A *generator* $G$ turns noise $z$, drawn from a law $p_z$ that we choose, into a sample $x = G(z)$. A *discriminator* $D$ says with
# which probability a sample is real. One forges money, the other looks for forgeries; each is trained against the other, and when the
# game ends well nobody can tell the forgeries from the real thing.
#
# $G$ has no density that we could write down, but in one dimension there is one that we can compute, by change of variables:
#
# $$p_g(x) = \sum_{z : G(z) = x} \frac{p_z(z)}{|G'(z)|}$$
#
# ```python
# # src/zerosum/theory/pushforward.py
#         return torch.where(inside, _density(self.prior, there) / slope[k].abs(), torch.zeros_like(at))
# ```
#
# Where $G$ contracts, $|G'|$ is small and $p_g$ is high; where it folds, several $z$ add up. An example whose answer is in every
# textbook: $G(z) = z^2$ of a normal $z$ is the chi-squared law, $e^{-x/2} / \sqrt{2 \pi x}$.

# %%
from math import exp, pi, sqrt

from zerosum.theory.pushforward import pushforward

p_g = pushforward(lambda z: z**2)
for at in (0.5, 1.0, 2.0):
    print(f"p_g({at}) = {float(p_g.density(torch.tensor([at]).double())):.6f}, exactly {exp(-at / 2) / sqrt(2 * pi * at):.6f}")
print(f"its mass: {float(p_g.mass.sum()):.6f}")

# %% [markdown]
# ## 4. The game
#
# Both players look at one number, which $D$ wants large and $G$ wants small (equation 1):
#
# $$\min_G \max_D V(D, G) = E_{x \sim p_{data}} \log D(x) + E_{z \sim p_z} \log(1 - D(G(z)))$$
#
# zerosum's nets give the logit $a = \log \frac{D}{1 - D}$ instead of $D$, and $-\log \sigma(a) = softplus(-a)$ keeps its gradient where
# $D$ is sure, which a logarithm of a rounded probability does not. What $D$ pays is $-V$, sample by sample:
#
# ```python
# # src/zerosum/game/value.py
#     return softplus(-a) + softplus(b)
# ```
#
# which is the cross-entropy that one would train any classifier by, with label 1 for reals and 0 for fakes.

# %%
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from zerosum.game.value import VALUES

a, b = torch.linspace(-5, 5, 11).double(), torch.linspace(4, -6, 11).double()
paid = VALUES["minimax"].d(a, b)
entropy = cross_entropy(a, torch.ones_like(a), reduction="none") + cross_entropy(b, torch.zeros_like(b), reduction="none")
print(f"D's cost against the cross-entropy: largest difference {float((paid - entropy).abs().max()):.1e}")

# %% [markdown]
# ## 5. The best D
#
# Hold $G$ fixed and let $D$ be any function at all. Then $V$ is an integral of $p_{data}(x) \log D + p_g(x) \log(1 - D)$, and each $x$
# can be looked at alone: $p \log y + q \log(1 - y)$ has derivative $p / y - q / (1 - y)$, which is zero at $y = p / (p + q)$. That is
# Proposition 1:
#
# $$D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}$$
#
# ```python
# # src/zerosum/theory/pair.py
#         return self.P / (self.P + self.Q)
# ```
#
# Let us not believe it: begin with $D = 1/2$ everywhere and climb $V$, with the trainer's own cost and no network.

# %%
from zerosum.theory.optimum import free_discriminator

for name, p_g in {"N(1,1)": mixture([1.0], [1.0], [1.0]), "N(0,1)": gaussian()}.items():
    pair = line(gaussian(), p_g, nodes=2)
    D = torch.sigmoid(free_discriminator(VALUES["minimax"], pair))
    print(f"p_data N(0,1), p_g {name}: D is off D* by {float((D - pair.d_star).abs().max()):.1e} at most")

# %% [markdown]
# A network has to learn it from samples, and with $G$ held still it does: its $V$ never passes $V(D^*, G)$, and comes near.

# %%
from zerosum.study.proofs_trained import trained_discriminator

for r in trained_discriminator(steps=800):
    print(f"{r.name:72} {r.measured:9.5f}   (tolerance {r.tolerance:g} about {r.proved:.5f})")

# %% [markdown]
# ## 6. What G is then up against
#
# Put $D^*$ into $V$. With $M = (p_{data} + p_g) / 2$, $\log D^* = \log \frac{p_{data}}{M} - \log 2$, and likewise for the other half, so
# (Theorem 1)
#
# $$\max_D V(D, G) = -\log 4 + KL(p_{data} \| M) + KL(p_g \| M) = -\log 4 + 2\, JSD(p_{data}, p_g)$$
#
# A divergence is never negative and is zero for equal laws alone. So the least that $G$ can bring this to is $-\log 4 = -1.3863$, exactly
# when $p_g = p_{data}$, and then $D^* = 1/2$: the police can only toss a coin.

# %%
from zerosum.theory.optimum import LOG4, v_star
from zerosum.theory.proofs_value import five_pairs

for name, (p, q, _) in five_pairs().items():
    pair = line(p, q)
    print(f"{name:38} V(D*, G) {v_star(pair):9.6f}    -log 4 + 2 JSD {-LOG4 + 2 * jsd(pair):9.6f}")

# %% [markdown]
# ## 7. The algorithm, seen from within
#
# Algorithm 1 takes $k$ steps of $D$ on a minibatch of reals and fakes, then one step of $G$, and begins again. A minibatch's mean stands
# for the expectation:
#
# ```python
# # src/zerosum/game/losses.py
#     cost = value.d(a, b).mean()
# ```
#
# Here is a game on a Gaussian, played by the trainer itself; in one dimension every curve is exact. It is the paper's Figure 1: (a) $D$
# is partly right about a pair that is nearly there; (b) $D$ has gone on to $D^*$ while $G$ stood still; (c) $G$ has moved its samples
# along $D$'s gradient; (d) the end, where $D$ is 1/2 wherever there are data.

# %%
from zerosum.report.teaching import draw_lesson
from zerosum.study.lesson import lesson

found = lesson(gaussian())
for name in "abcd":
    m = getattr(found, name)
    print(f"({name}) round {m.t:5}   JSD {m.jsd:.4f}   V {m.v:.4f}   mean |D - 1/2| {m.off:.4f}")
Picture(draw_lesson(found.panels(), found.course, "gaussian, minimax game, k = 2"))

# %% [markdown]
# Proposition 2 says that this converges if $D$ reaches its optimum each time and $p_g$ is moved directly: the set of all laws is convex,
# and so is $\max_D V$ as a function of $p_g$. A network moves $\theta$ instead, so the proof does not carry over; that is why row 4 of
# `zerosum prove` plays the game to its end from three seeds, and looks.
#
# ## 8. A G that starves
#
# Early on $D$ is sure that fakes are fakes: $b = D$'s logit at $G(z)$ is far below zero. Then $\log(1 - D)$ is flat. Its slope in $b$ is
# $-\sigma(b)$, which vanishes, while that of $-\log D$ is $\sigma(b) - 1$, which does not. Hence the other cost of section 3, with the
# same fixed point:
#
# ```python
# # src/zerosum/game/value.py
#         g=lambda a, b: softplus(-b),
# ```

# %%
for logit in (0.0, -2.0, -5.0, -10.0):
    b = torch.tensor(logit, dtype=torch.float64, requires_grad=True)
    slopes = {name: float(torch.autograd.grad(VALUES[name].g(torch.zeros_like(b), b), b)[0]) for name in ("minimax", "non_saturating")}
    print(f"D(G(z)) = {float(b.detach().sigmoid()):.5f}:  " + "   ".join(f"{name} {slope:9.6f}" for name, slope in slopes.items()))

# %% [markdown]
# ## 9. Two players who circle
#
# Neither player climbs a hill: each one's step moves the other's hill. The smallest game shows it (Mescheder et al. 2018, arXiv
# 1801.04406): all data at 0, $G$ a single point $\theta$, and $D(x) = \sigma(\psi x)$. Its equilibrium is $(0, 0)$, and the two go round
# it for ever. A penalty $\frac{\gamma}{2} \|\nabla D\|^2$ at the reals (R1) brakes them; near the equilibrium the eigenvalues of the
# motion are $-\frac{\gamma}{2} \pm \sqrt{\frac{\gamma^2}{4} - \frac{1}{4}}$, whose real parts are then negative.
#
# ```python
# # src/zerosum/game/losses.py
#             price = price + gamma / 2 * penalty.cost(square).mean()
# ```

# %%
from zerosum.game.penalty import PENALTIES
from zerosum.report.panels import draw_panels
from zerosum.study.drawbacks import oscillation
from zerosum.theory.dirac import Dirac

for gamma in (0.0, 0.3):
    game = Dirac(VALUES["minimax"], PENALTIES["r1"], gamma)
    ends = ", ".join(f"{order} {float(game.trajectory(order)[-1].norm()):.3g}" for order in ("simultaneous", "alternating"))
    eigenvalues = ", ".join(f"{e:.3f}" for e in torch.linalg.eigvals(game.jacobian()).tolist())
    print(f"gamma {gamma}: distance after 500 steps: {ends}; eigenvalues {eigenvalues}")
Picture(draw_panels({"distance from the equilibrium / steps": oscillation()[1]}))

# %% [markdown]
# ## 10. The Helvetica scenario
#
# If $G$ is trained too much before $D$ answers, it takes too many $z$ to the same $x$ and no longer has the variety of the data. The same
# follows from a $D$ that cannot see in what the fakes are wrong. Here it sees the first coordinate of three towns in the plane alone: $V$
# reaches $-\log 4$ as if the game were won, and the true JSD stays large.

# %%
from zerosum.study.helvetica import blind, v_on_samples
from zerosum.study.scenario_result import blurred_jsd

match = blind(0, 600)
match.play(600)
measured = blurred_jsd(match)
print(f"V(D, G) {v_on_samples(match):.4f}, where -log 4 is {-LOG4:.4f}")
print(f"JSD {measured.jsd:.3f} nats, where samples of p_data itself come out at {measured.floor:.3f}")

# %% [markdown]
# ## 11. Where to go from here
#
# - `zerosum prove` measures every statement above, and more, with its tolerance; `--quick` takes half a minute, `--full` adds the held-out
#   bound $JSD \ge \frac{1}{2} (V(D) + \log 4)$, which holds for any $D$ and is how zerosum measures a divergence where no density is known.
# - `zerosum lab --figure lesson.gif --data bimodal` plays the figure for a density and a game of your own.
# - `zerosum lab helvetica`, `vanishing` and `drawbacks` play what goes wrong over several seeds, and what mends it.
# - `zerosum stress ring8` sets the preset for points beside what papers report.
