# ruff: noqa: E402
# %% [markdown]
# # 4. Algorithm 1
#
# ## Pseudocode and code
#
# Algorithm 1 of Goodfellow et al. 2014 alternates: $k$ updates of $D$, then one update of $G$. This is
# one *training step*. Each update uses a *minibatch*, $m$ samples drawn at random, because the mean
# over all data would take too long. The minibatch mean is an estimate of the expectation, and right on
# average.
#
# | Algorithm 1 | zerosum, `src/zerosum/play/step.py` |
# | --- | --- |
# | for each training step: | `def iteration(self, inputs: StepInputs)` |
# | repeat $k$ times: | `for j in range(game.k):` |
# | draw $m$ real samples $x_1 \dots x_m$ | `x, y = self.real_samples(inputs, j)` |
# | draw $m$ noise vectors $z_1 \dots z_m$ and compute $G(z_i)$ | `self.backend.generated_samples(inputs.z_d[j], y, ...)` |
# | ascend the gradient of $V$ by $\theta_d$ | `self.backend.discriminator_gradients(...)`, then `self._update("d", ...)` |
# | draw $m$ new noise vectors $z_i$ | `inputs.z_g[j]` |
# | descend the gradient of $V$ by $\theta_g$ | `self.backend.generator_gradients(...)`, then `self._update("g", ...)` |
#
# ## Both gradients
#
# The discriminator climbs (*ascent*, plus sign):
#
# $$\theta_d \leftarrow \theta_d + \eta \nabla_{\theta_d} \frac{1}{m} \sum_{i=1}^m \left[\log D(x_i) + \log(1 - D(G(z_i)))\right]$$
#
# The generator goes down (*descent*, minus sign):
#
# $$\theta_g \leftarrow \theta_g - \eta \nabla_{\theta_g} \frac{1}{m} \sum_{i=1}^m \log(1 - D(G(z_i)))$$
#
# $G$'s gradient lacks the first term of $V$, because $\theta_g$ does not occur in it: to $G$ the term is
# a constant. This shorter loss is the *reduced cost* of $G$. By the chain rule its gradient passes
# through $D$: $\nabla_{\theta_g} \log(1 - D(G(z))) = \left(\frac{\partial G}{\partial \theta_g}\right)^T \nabla_x \log(1 - D(x))$
# at $x = G(z)$. In words: $D$ says in which direction each sample has to move, and backpropagation says
# how $\theta_g$ has to change for that. $G$ learns nothing else.
#
# ## Freezing
#
# While one network learns, the other is *frozen*: its parameters do not change. In PyTorch, $D$'s loss
# uses `G(z).detach()`, so no gradient reaches $G$. $G$'s loss needs the gradient through $D$, so nothing
# is detached, but only $G$'s optimiser takes a step.
#
# The next cell checks the formulas on the training code: the logistic derivatives
# $\partial (-V) / \partial a = \sigma(a) - 1$ and $\partial (-V) / \partial b = \sigma(b)$, the reduced
# cost, and the frozen networks.

# %%
from dataclasses import replace

import torch

from zerosum.data.density import gaussian
from zerosum.game.losses import discriminator_loss
from zerosum.game.value import VALUES
from zerosum.report.course import Picture, beside
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson_config import LESSON

game = DensityGame(gaussian(), replace(LESSON, batch=64), 10)
G, D = game.players.G.double(), game.players.D.double()
torch.manual_seed(0)
z, x = torch.rand(64, 1).double() * 2 - 1, torch.randn(64, 1).double()


def gradient(loss, net):
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(net.parameters()))])


# D: the gradient of the code, and the one put together from the two derivatives.
code = gradient(discriminator_loss(D, x, G(z), VALUES["minimax"]).loss, D)
a, b = D(x), D(G(z).detach())
formula = gradient(((a.detach().sigmoid() - 1) * a + b.detach().sigmoid() * b).mean(), D)
# G: the whole of V, and the reduced cost.
whole = gradient(-torch.nn.functional.softplus(-D(x)).mean() - torch.nn.functional.softplus(D(G(z))).mean(), G)
reduced = gradient(-torch.nn.functional.softplus(D(G(z))).mean(), G)
print(
    beside(
        [
            ("D: gradient of the code, minus the formula's", 0.0, float((code - formula).abs().max())),
            ("G: gradient of V, minus that of the reduced cost", 0.0, float((whole - reduced).abs().max())),
        ]
    )
)
before = {letter: [p.clone() for p in net.parameters()] for letter, net in (("D", D), ("G", G))}
optimiser = torch.optim.SGD(D.parameters(), lr=0.1)
discriminator_loss(D, x, G(z), VALUES["minimax"]).loss.backward()
optimiser.step()
for letter, net in (("D", D), ("G", G)):
    moved = max(float((p - q).abs().max().detach()) for p, q in zip(net.parameters(), before[letter], strict=True))
    print(f"after an update of D, the largest change of a parameter of {letter}: {moved:.5f}")

# %% [markdown]
# ## How many updates of D: k
#
# The theory wants $D$ at its optimum whenever $G$ moves. That would take very many updates of $D$ for
# each one of $G$. Algorithm 1 compromises: $k$ updates of $D$ keep it near its optimum as long as $G$
# changes slowly. Goodfellow et al. used $k = 1$ because it is cheapest. If $D$ falls behind, $G$
# exploits its mistakes (chapter 7, the Helvetica scenario). If $D$ is perfect, the gradient of the
# minimax loss vanishes (chapter 7 as well).
#
# ## The published figure, from a real training
#
# Figure 1 of Goodfellow et al. shows a game in one dimension. The next cell trains it: two small
# networks, uniform noise, $k = 4$, equation 1 without any penalty. $p_{data}$ is restricted to an interval,
# because a continuous $G$ of a bounded $z$ has a bounded range, and cannot reach tails that go on
# forever.
#
# - (a) $p_g$ is to the right of $p_{data}$ and too narrow. $D$ is partly right.
# - (b) $G$ is frozen, and $D$ is trained to its optimum, $D^* = p_{data} / (p_{data} + p_g)$.
# - (c) $G$ takes one step. Each $G(z)$ moves along the gradient of $D$, here to the left, and the
#   divergence falls. "Times 2" in the caption says how much longer than usual the step is, so that it
#   can be seen.
# - (d) After many steps.

# %%
from zerosum.commands.lab import line_title
from zerosum.report.teaching import draw_lesson
from zerosum.study.lesson import lesson

found = lesson(gaussian())
a, b, c, d = found.a, found.b, found.c, found.d
print(
    beside(
        [
            ("(b) V(D, G) with D trained, beside -log 4 + 2 JSD", -1.386294 + 2 * b.jsd, b.v),
            ("(c) JSD after a step of G, below that of (b)", f"< {b.jsd:.5f}", c.jsd),
            ("(d) JSD at the end, nats", 0.0, d.jsd),
            ("(d) V(D, G) at the end", -1.386294, d.v),
            ("(d) p_data's mass where |D - 1/2| <= 0.03", 1.0, d.half),
        ]
    )
)
Picture(
    draw_lesson(found.panels(), found.captions(), found.course, line_title("gaussian", LESSON, found.p_data)),
    "Goodfellow et al. 2014, Figure 1, from a real training.",
)

# %% [markdown]
# ## Does it converge?
#
# Proposition 2 says: if $D$ reaches its optimum in every step, and $p_g$ itself is updated to lower
# $V(D^*, G)$, then $p_g$ converges to $p_{data}$. The reason is that $\max_D V$ is a convex function of
# $p_g$ (a maximum of functions that are linear in $p_g$), and densities form a convex set. A network
# updates $\theta_g$ instead of $p_g$, and in $\theta_g$ nothing is convex. So the proof does not cover
# networks, and we measure. `zerosum prove` trains to the end with several seeds and reports the
# divergence each time.
#
# ## Try it
#
# `zerosum lab` opens the live page, where you can stop after each update. `zerosum lab --panels --figure
# lesson.svg` writes the four panels for a lecture.
#
# ## Exercises
#
# **1.** $m = 2$, $D(x_1) = 0.8$, $D(x_2) = 0.6$, $D(G(z_1)) = 0.3$, $D(G(z_2)) = 0.5$. Compute the estimate
# of $V$.
#
# <details><summary>Answer</summary>
#
# $\frac{1}{2}(\log 0.8 + \log 0.6) + \frac{1}{2}(\log 0.7 + \log 0.5) = -0.367 - 0.525 = -0.892$.
#
# </details>
#
# **2.** What goes wrong if you forget `detach()` and call one optimiser for both networks?
#
# <details><summary>Answer</summary>
#
# The gradient of $D$'s loss then also moves $\theta_g$, against $D$'s loss: $G$ learns to help $D$ find
# generated samples. The sign of $G$'s update is wrong.
#
# </details>
#
# **3.** Why may $G$'s gradient not be taken before $D$'s update and applied after it, if you want Algorithm
# 1 exactly?
#
# <details><summary>Answer</summary>
#
# Algorithm 1 descends the gradient of $V$ at the new $\theta_d$. With the old $\theta_d$ both updates are
# simultaneous. `--game.order simultaneous` does that. In the smallest game it diverges where
# alternating updates circle (chapter 7).
#
# </details>
