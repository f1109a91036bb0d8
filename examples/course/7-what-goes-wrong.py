# ruff: noqa: E402
# %% [markdown]
# # 7. What goes wrong, and what helps
#
# Four problems are typical of GANs. This chapter plays each one, shows its curve, says what
# `zerosum diagnose` calls it, and plays the cure.
#
# | problem | `zerosum diagnose` says | cure |
# | --- | --- | --- |
# | $D$ is certain, and $G$ learns nothing | vanishing gradients | the non-saturating loss; a gradient penalty |
# | $G$ makes only a few kinds of samples | mode collapse | more updates of $D$; a game that compares pairs; gradient penalties |
# | the samples keep changing and do not get better | oscillation | a gradient penalty; smaller learning rates; an averaged generator |
# | $D$ knows the training samples by heart | discriminator overfitting | a gradient penalty; augmentation; more data |
#
# ## Vanishing gradients and the non-saturating loss
#
# Early in training $D$ recognises generated samples with certainty: the logit $b$ of $G(z)$ is far below
# 0. Then $\log(1 - D(G(z))) = \log(1 - \sigma(b))$ is flat. Its slope is $-\sigma(b)$, which goes to 0: the
# loss of $G$ *saturates* when $G$ has most to learn.
#
# Section 3 of Goodfellow et al. 2014 therefore lets $G$ maximise $\log D(G(z))$ instead of minimising
# $\log(1 - D(G(z)))$. The slope of this *non-saturating* loss $-\log D(G(z))$ is $\sigma(b) - 1$, which
# goes to -1. Both losses push in the same direction and have the same equilibrium. But the game is no
# longer zero-sum.
#
# ```python
# # src/zerosum/game/value.py
#         g=lambda a, b: softplus(-b),
# ```

# %%
import torch

from zerosum.game.value import VALUES
from zerosum.report.course import Picture, beside
from zerosum.report.panels import draw_panels
from zerosum.report.scenario_figure import draw_scenario
from zerosum.study.vanishing import vanishing


def quiet(label, done, total):
    """Show no progress."""


rows = []
for logit in (0.0, -5.0, -10.0):
    b = torch.tensor(logit, dtype=torch.float64, requires_grad=True)
    D = float(b.detach().sigmoid())
    for name, proved in (("minimax", -D), ("non_saturating", D - 1)):
        slope = torch.autograd.grad(VALUES[name].g(torch.zeros_like(b), b), b)[0]
        rows.append((f"slope of G's loss by b at D(G(z)) = {D:.5f}, {name}", proved, float(slope)))
print(beside(rows))
Picture(
    draw_panels(vanishing(1, 150, quiet).panels),
    "Left: as D improves, one gradient vanishes and the other does not. Right: G then learns at once, or much later.",
)

# %% [markdown]
# A penalty on $D$'s gradient helps too: a $D$ that is not steep is not flat elsewhere.
#
# ## Mode collapse: the colour-blind officer
#
# Remember the counterfeiters and the police. Suppose that the only officer is colour-blind. The
# counterfeiters soon print notes with perfect shapes and any colour: nobody complains. To the officer,
# counterfeit and real money are equal, and the game seems to be over. When an officer who sees colours
# takes over, the counterfeiters have to learn colours.
#
# Here it is played. The data are digits in two inks of equal brightness. The same two networks play
# twice: with a $D$ that sees brightness alone, and with a $D$ that sees colours. $G$ is the same both
# times, and makes colours both times. But no gradient about them reaches it in the first game.

# %%
from zerosum.study.officer import officer

found = officer(1, 2000, quiet)
blind, sees = found.rows
print(
    beside(
        [
            ("V with a colour-blind D (at the equilibrium -log 4)", -1.386294, blind["V"]),
            ("V with a D that sees", -1.386294, sees["V"]),
            ("JSD of the colours, colour-blind D", 0.0, blind["JSD of the colours"]),
            ("JSD of the colours, D that sees", 0.0, sees["JSD of the colours"]),
        ]
    )
)
Picture(draw_scenario(found), "Digits in two inks, and those of G against a D that is colour-blind, and against one that sees.")

# %% [markdown]
# $V$ is the game as $D$ sees it. It can be near $-\log 4$ while $p_g$ is not $p_{data}$. So zerosum never
# judges a run by $V$ alone: its measures compare samples with an independent network.
#
# ## The Helvetica scenario, and why D is trained first
#
# Section 6 of the paper warns: do not train $G$ too much without updating $D$. A fixed $D$ has a place
# where it is largest, and $G$ lowers its loss by moving *every* sample there (chapter 3, exercise 2). The
# paper calls this collapse of many $z$ to one $x$ the *Helvetica scenario*. $D$ notices it in its next
# update, but by then all variety is gone. The same holds at the start: an untrained $D$ gives $G$
# directions that mean nothing. That is why each step of Algorithm 1 trains $D$ first, and why $k$
# matters.
#
# The figure plays a ring of eight modes with $k$ updates of $D$ and 1, 5 or 25 of $G$ in each step. Which
# comparison is fair? On the left every schedule gets as many updates of $G$, on the right as many of
# $D$. Collapse appears in both.

# %%
from zerosum.study.helvetica import helvetica

found = helvetica(3, 600, quiet)
for title, schedules in found.grids.items():
    print(title)
    for s in schedules:
        print(f"  k = {s.k}, G {s.g_steps:2}: {s.modes_mean[0]:.1f} of 8 modes, JSD {s.jsd_mean[0]:.3f} nats")
Picture(draw_scenario(found), "Helvetica: above, a D that sees one coordinate, then both; below, schedules of D and G.")

# %% [markdown]
# This cell uses three seeds and short trainings. `zerosum lab helvetica` plays five seeds and longer, and
# prints the intervals. With as many updates of $D$ the lost modes then come back, as far as $D$ keeps up:
# with 25 updates of $G$ it finds 6.0 of 8 modes at $k = 1$, 7.4 at $k = 2$ and all 8 at $k = 5$. With as many
# updates of $G$ it finds 2.4, 3.2 and 5.0.
#
# ## Oscillation
#
# Gradient descent on a fixed function goes downhill. Here each update of one network changes the
# function that the other one minimises. The smallest example shows the effect (Mescheder et al. 2018,
# arXiv 1801.04406). All data are at 0, $G$ is a single point $\theta$, and $D(x) = \sigma(\psi x)$. The
# equilibrium is $(0, 0)$. In continuous time $(\theta, \psi)$ circles around it forever.
#
# A *gradient penalty* $\frac{\gamma}{2} \|\nabla D\|^2$ at the real samples (R1) damps the oscillation. Near
# the equilibrium the pair moves like $e^{\lambda t}$. The real part of $\lambda$ says how fast the distance
# grows or shrinks, and the imaginary part how fast the pair circles. The two possible $\lambda$, the
# eigenvalues of the game, are
# $-\frac{\gamma}{2} \pm \sqrt{\frac{\gamma^2}{4} - \frac{1}{4}}$. Without the penalty they are $\pm \frac{i}{2}$: a
# circle. With it, their real parts are negative: a spiral that ends at the equilibrium.

# %%
from zerosum.game.penalty import PENALTIES
from zerosum.study.drawbacks import oscillation
from zerosum.theory.dirac import Dirac

rows = []
for gamma in (0.0, 0.3):
    game = Dirac(VALUES["minimax"], PENALTIES["r1"], gamma)
    eigenvalue = torch.linalg.eigvals(game.jacobian())[0]
    rows.append((f"R1 with gamma {gamma}: real part of an eigenvalue", -gamma / 2, float(eigenvalue.real)))
    rows.append((f"R1 with gamma {gamma}: imaginary part", (0.25 - gamma**2 / 4) ** 0.5, abs(float(eigenvalue.imag))))
print(beside(rows))
Picture(draw_panels({"distance from the equilibrium / steps": oscillation()[1]}), "The Dirac-GAN circles; with R1 it converges.")

# %% [markdown]
# ## Overfitting of D
#
# With few training samples $D$ can learn each of them by heart. It then answers 1 for these samples and
# 0 for everything else, new real samples included. Its gradient pulls $G$ to the training samples. The
# sign is a gap: $D$ gives training samples more than new real ones. In the next cell the data are 50
# points.

# %%
from zerosum.study.drawbacks import overfitting

rows, lines = overfitting(0, 300, quiet)
for row in rows:
    print(f"{row['game']:14} {row['measure']}: {row['value']:.3f}")
Picture(
    draw_panels({"D(training) - D(new), 50 points / steps": lines}), "The gap between training samples and new ones, without and with R1."
)

# %% [markdown]
# ## Losses do not tell
#
# There is no loss that goes down when a GAN gets better. Both losses depend on the opponent, and at the
# equilibrium both are constant. A rising generator loss can go with better samples. That is why
# `zerosum diagnose RUN` uses scores of samples against held-out data, and asks for at least two
# independent signs ([verdict.md](../verdict.md)).
#
# ## Try it
#
# `zerosum lab` opens the live page: choose a scenario and the cure while it runs. `zerosum lab officer`,
# `zerosum lab helvetica`, `zerosum lab vanishing` and `zerosum lab drawbacks` write the figures of this
# chapter, over several seeds.
#
# ## Exercises
#
# **1.** $D(G(z)) = 0.01$. By which factor is the slope of the non-saturating loss (by the logit) larger than
# the slope of the minimax loss?
#
# <details><summary>Answer</summary>
#
# $0.99 / 0.01 = 99$.
#
# </details>
#
# **2.** In the Dirac-GAN, which $\gamma$ brings the pair back without any oscillation?
#
# <details><summary>Answer</summary>
#
# The square root is real for $\gamma^2 / 4 \ge 1/4$, that is $\gamma \ge 1$.
#
# </details>
#
# **3.** $V$ has been at $-1.386$ for an hour. Name two states of the game in which that happens.
#
# <details><summary>Answer</summary>
#
# The equilibrium, and a $D$ that cannot see the difference: too small, colour-blind, or hardly trained.
# `zerosum diagnose` calls the second one a weak discriminator.
#
# </details>
