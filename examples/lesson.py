# ruff: noqa: E402
# %% [markdown]
# # The theory of GANs, measured
#
# This page explains Goodfellow et al. 2014, *Generative Adversarial Nets* (arXiv 1406.2661), to a
# reader who knows calculus. Next to each formula you see the line of zerosum that computes it, and
# the number that results. `zerosum prove` prints all these numbers as one table.
#
# The page `docs/theory.md`, the notebook `examples/lesson.ipynb` and the program
# `examples/lesson.py` have the same text. `make lesson` runs the program and writes the other two.
# It takes about two minutes.

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
# ## 1. Before GANs: maximum likelihood
#
# Let $x_1 \dots x_n$ be points from an unknown density $p_{data}$, and let $p_\theta$ be a family
# of densities. *Maximum likelihood* chooses the $\theta$ with the largest mean of
# $\log p_\theta(x_i)$. For a Gaussian, the derivatives are zero at the mean and the variance of the
# points.
#
# That is the best Gaussian, but it fits badly if the points are not Gaussian. Here they come from
# two bumps: one half of them lies around -2, the other around 2.
#
# The *Jensen-Shannon divergence* (JSD) measures how different two densities are. $H$ is the
# entropy. The JSD is 0 for equal densities and $\log 2 = 0.693$ for densities that do not overlap.
# Its unit with the natural logarithm is the *nat*.
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
# The mixture fits because we knew the form of the answer. For photographs nobody knows it. A
# function becomes a density only after division by its integral. For a flexible function, that
# integral is too hard to compute. GANs avoid it: one network *generates* samples, and another
# network *classifies* samples as real or generated.
#
# ## 2. Classifying samples of two densities
#
# *Logistic regression* estimates the probability $D(x) = \sigma(w x + c)$, with
# $\sigma(a) = 1 / (1 + e^{-a})$, that a point belongs to the first of two classes. Its loss is
# $-\log D$ for points of the first class and $-\log(1 - D)$ for points of the second.
#
# For two Gaussians of equal variance the true odds have exactly this form, because
# $\log p(x) - \log q(x)$ is linear in $x$. *Softmax regression* does the same for more classes,
# such as the ten digits.

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
# ## 3. Generator and discriminator
#
# A *generator* $G$ turns noise $z$ into a sample $x = G(z)$. We choose the density $p_z$ of the
# noise, called the *prior*. A *discriminator* $D$ estimates the probability that a sample is real.
# The paper compares $G$ to counterfeiters of money and $D$ to the police. Each is trained against
# the other. If training succeeds, generated and real samples can no longer be distinguished.
#
# In general we cannot write down the density $p_g$ of the generated samples. In one dimension we
# can compute it by change of variables:
#
# $$p_g(x) = \sum_{z : G(z) = x} \frac{p_z(z)}{|G'(z)|}$$
#
# ```python
# # src/zerosum/theory/pushforward.py
#         return torch.where(inside, _density(self.prior, there) / slope[k].abs(), torch.zeros_like(at))
# ```
#
# Where $G$ contracts, $|G'|$ is small and $p_g$ is high. Where $G$ folds, several $z$ contribute to
# the sum. Textbooks have the answer for one example: if $z$ is normal, $G(z) = z^2$ has the
# chi-squared density $e^{-x/2} / \sqrt{2 \pi x}$.

# %%
from math import exp, pi, sqrt

from zerosum.theory.pushforward import pushforward

p_g = pushforward(lambda z: z**2)
for at in (0.5, 1.0, 2.0):
    print(f"p_g({at}) = {float(p_g.density(torch.tensor([at]).double())):.6f}, exactly {exp(-at / 2) / sqrt(2 * pi * at):.6f}")
print(f"its mass: {float(p_g.mass.sum()):.6f}")

# %% [markdown]
# ## 4. The value function
#
# $D$ and $G$ have the same objective $V$. $D$ maximises it and $G$ minimises it (equation 1):
#
# $$\min_G \max_D V(D, G) = E_{x \sim p_{data}} \log D(x) + E_{z \sim p_z} \log(1 - D(G(z)))$$
#
# The networks of zerosum return the *logit* $a = \log \frac{D}{1 - D}$ instead of $D$. With it,
# $-\log D = -\log \sigma(a) = softplus(-a)$. This form keeps its gradient even where $D$ rounds to
# 0 or 1; $\log D$ itself does not. The discriminator loss is $-V$, computed from the logit $a$ of a
# real sample and the logit $b$ of a generated sample:
#
# ```python
# # src/zerosum/game/value.py
#     return softplus(-a) + softplus(b)
# ```
#
# This is the cross-entropy of an ordinary classifier, with label 1 for real samples and 0 for
# generated ones.

# %%
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from zerosum.game.value import VALUES

a, b = torch.linspace(-5, 5, 11).double(), torch.linspace(4, -6, 11).double()
paid = VALUES["minimax"].d(a, b)
entropy = cross_entropy(a, torch.ones_like(a), reduction="none") + cross_entropy(b, torch.zeros_like(b), reduction="none")
print(f"D's cost against the cross-entropy: largest difference {float((paid - entropy).abs().max()):.1e}")

# %% [markdown]
# ## 5. The optimal discriminator
#
# Keep $G$ fixed and let $D$ be any function. Then $V$ is the integral of
# $p_{data}(x) \log D + p_g(x) \log(1 - D)$, and we can maximise it for each $x$ separately. The
# function $p \log y + q \log(1 - y)$ has the derivative $p / y - q / (1 - y)$, which is zero at
# $y = p / (p + q)$. This is Proposition 1:
#
# $$D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}$$
#
# ```python
# # src/zerosum/theory/pair.py
#         return self.P / (self.P + self.Q)
# ```
#
# We can test it. Start with $D = 1/2$ everywhere and increase $V$ by gradient steps, with the same
# loss as in training and without a network.

# %%
from zerosum.theory.optimum import free_discriminator

for name, p_g in {"N(1,1)": mixture([1.0], [1.0], [1.0]), "N(0,1)": gaussian()}.items():
    pair = line(gaussian(), p_g, nodes=2)
    D = torch.sigmoid(free_discriminator(VALUES["minimax"], pair))
    print(f"p_data N(0,1), p_g {name}: D is off D* by {float((D - pair.d_star).abs().max()):.1e} at most")

# %% [markdown]
# A network has to learn $D^*$ from samples. With $G$ fixed it succeeds: its $V$ comes close to
# $V(D^*, G)$ and never exceeds it.

# %%
from zerosum.study.proofs_trained import trained_discriminator

for r in trained_discriminator(steps=800):
    print(f"{r.name:72} {r.measured:9.5f}   (tolerance {r.tolerance:g} about {r.proved:.5f})")

# %% [markdown]
# ## 6. What G minimises
#
# Insert $D^*$ into $V$. With $M = (p_{data} + p_g) / 2$,
# $\log D^* = \log \frac{p_{data}}{M} - \log 2$ and $\log(1 - D^*) = \log \frac{p_g}{M} - \log 2$.
# The expectations of these terms give Theorem 1:
#
# $$\max_D V(D, G) = -\log 4 + KL(p_{data} \| M) + KL(p_g \| M) = -\log 4 + 2\, JSD(p_{data}, p_g)$$
#
# The JSD is never negative, and it is zero only for equal densities. The minimum over $G$ is
# therefore $-\log 4 = -1.3863$. $G$ reaches it exactly when $p_g = p_{data}$, and then $D^* = 1/2$
# everywhere: the discriminator can only guess.

# %%
from zerosum.theory.optimum import LOG4, v_star
from zerosum.theory.proofs_value import five_pairs

for name, (p, q, _) in five_pairs().items():
    pair = line(p, q)
    print(f"{name:38} V(D*, G) {v_star(pair):9.6f}    -log 4 + 2 JSD {-LOG4 + 2 * jsd(pair):9.6f}")

# %% [markdown]
# ## 7. Algorithm 1, step by step
#
# One step of Algorithm 1 updates $D$ $k$ times, each time on a minibatch of real and generated
# samples. It then updates $G$ once. The mean loss over the minibatch estimates the expectation:
#
# ```python
# # src/zerosum/game/losses.py
#     loss = value.d(a, b).mean()
# ```
#
# The next cell trains on a Gaussian. In one dimension we can compute every curve exactly. The
# figure repeats Figure 1 of the paper:
#
# - (a) The two densities are close, and $D$ is partly right.
# - (b) $D$ has reached $D^*$, while $G$ did not change.
# - (c) $G$ has moved its samples along the gradient of $D$.
# - (d) At the end, $D$ is close to 1/2 wherever there are data.

# %%
from zerosum.report.teaching import draw_lesson
from zerosum.study.lesson import lesson

found = lesson(gaussian())
for name in "abcd":
    m = getattr(found, name)
    print(f"({name}) round {m.t:5}   JSD {m.jsd:.4f}   V {m.v:.4f}   mean |D - 1/2| {m.off:.4f}")
Picture(draw_lesson(found.panels(), found.course, "gaussian, minimax game, k = 2"))

# %% [markdown]
# Proposition 2 says that the algorithm converges if $D$ reaches its optimum each time and $p_g$ is
# updated directly. The reason is that the set of all densities is convex, and $\max_D V$ is a
# convex function of $p_g$. A network updates $\theta$ instead, so the proof does not apply to it.
# `zerosum prove` therefore also trains networks to the end, with three seeds, and measures the
# result.
#
# ## 8. Vanishing gradients
#
# Early in training, $D$ recognises generated samples with certainty: the logit $b$ of $D$ at $G(z)$
# is far below zero. Then $\log(1 - D)$ is flat. Its derivative with respect to $b$ is $-\sigma(b)$,
# which vanishes. The derivative of $-\log D$ is $\sigma(b) - 1$, which does not vanish. Section 3
# of the paper therefore proposes $-\log D$ as generator loss. This *non-saturating* loss has the
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
# ## 9. Oscillation
#
# Gradient descent on a fixed function goes downhill. Here each update of one network changes the
# function that the other one minimises. The smallest example shows the effect (Mescheder et al.
# 2018, arXiv 1801.04406). All data are at 0, $G$ is a single point $\theta$, and
# $D(x) = \sigma(\psi x)$. The equilibrium is $(0, 0)$. In continuous time, $(\theta, \psi)$ circles
# around it forever.
#
# A *gradient penalty* $\frac{\gamma}{2} \|\nabla D\|^2$ at the real samples (R1) damps the
# oscillation. Near the equilibrium, the eigenvalues of the gradient flow are
# $-\frac{\gamma}{2} \pm \sqrt{\frac{\gamma^2}{4} - \frac{1}{4}}$. With a penalty, their real parts
# are negative.
#
# ```python
# # src/zerosum/game/losses.py
#             total_penalty = total_penalty + gamma / 2 * penalty.of_square(square).mean()
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
# ## 10. Mode collapse: the Helvetica scenario
#
# If $G$ is trained too much between two updates of $D$, it maps too many $z$ to the same $x$ and
# loses the variety of the data. A discriminator that cannot detect a difference has a similar
# effect. In this example the data form three groups in the plane, and $D$ receives only the first
# coordinate. $V$ reaches $-\log 4$, as at the equilibrium, but the true JSD stays large.

# %%
from zerosum.study.helvetica import blind, v_on_samples
from zerosum.study.scenario_result import blurred_jsd

match = blind(0, 600)
match.play(600)
measured = blurred_jsd(match)
print(f"V(D, G) {v_on_samples(match):.4f}, where -log 4 is {-LOG4:.4f}")
print(f"JSD {measured.jsd:.3f} nats, where samples of p_data itself come out at {measured.floor:.3f}")

# %% [markdown]
# ## 11. Further reading
#
# - `zerosum prove` measures every statement above, and more, each with its tolerance. `--quick`
#   takes half a minute. `--full` adds the held-out bound $JSD \ge \frac{1}{2} (V(D) + \log 4)$. The
#   bound holds for any $D$, and zerosum uses it to measure a divergence where no density is known.
# - `zerosum lab --figure lesson.gif --data bimodal` draws the figure of section 7 for a density and
#   a value function of your choice.
# - `zerosum lab helvetica`, `zerosum lab vanishing` and `zerosum lab drawbacks` show each failure
#   over several seeds, and its fix.
# - `zerosum stress ring8` compares the preset for points with published figures.
