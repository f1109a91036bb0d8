# ruff: noqa: E402
# %% [markdown]
# # 2. Two networks
#
# ## Generator and discriminator
#
# A GAN consists of two networks that are trained against each other.
#
# - The *generator* $G$ turns noise $z$ into a sample $x = G(z)$. We choose the distribution $p_z$ of the
#   noise, called the *prior*: 100 uniform numbers, for example. The samples of $G$ have a distribution
#   too. We call it $p_g$.
# - The *discriminator* $D$ reads a sample and returns the probability that it is real.
#
# Goodfellow et al. 2014 compare $G$ to counterfeiters of money and $D$ to the police. The police learn
# to find counterfeit notes. The counterfeiters learn from each note that was found. In the end, if both
# learn well, the counterfeits cannot be told from real money.

# %%
from zerosum.report.course import Picture, beside
from zerosum.report.diagrams import draw_two_networks

Picture(draw_two_networks(), "The two networks of a GAN, the labels of their samples, and the way of each gradient.")

# %% [markdown]
# ## An unsupervised problem made supervised
#
# Learning with labels is called *supervised*, learning without them *unsupervised*. Nobody labelled our
# data: we only have samples. A GAN makes its own labels. Real samples get the label 1 and generated
# samples the label 0, and $D$ is an ordinary classifier of the two. It is the same logistic regression
# as in chapter 1, with a network in place of $w x + c$. $G$ has no labels of its own. Its loss is
# what $D$ says.
#
# How well can a classifier do? Let real and generated samples be equally many. The best classifier
# chooses the larger density at each $x$ and is right with the probability
# $\frac{1}{2} \int \max(p_{data}, p_g)$. That is 1 if the densities do not overlap, and $1/2$ if they
# are equal. The next cell trains $D$ alone, with the steps of `zerosum train`, against a $G$ that does
# not learn.

# %%
from dataclasses import replace

import torch

from zerosum.data.density import gaussian
from zerosum.study.density_game import DensityGame
from zerosum.study.lesson_config import LESSON
from zerosum.study.lesson_start import start_generator
from zerosum.study.truncated import reachable

# p_data: a Gaussian without its tails. p_g: to its right, and too narrow. G has the learning rate 0.
frozen = replace(LESSON, g=replace(LESSON.g, lr=0.0, lr_end=None))
game = DensityGame(reachable(gaussian()), frozen, 400)
start_generator(game)
pair = game.pair()
best = float(torch.maximum(pair.P, pair.Q).sum()) / 2
game.play(400)
right = game.logits(pair) > 0
measured = float(pair.P[right].sum() + pair.Q[~right].sum()) / 2
print(beside([("D's accuracy on a G that does not learn, at most", best, measured)]))

# %% [markdown]
# ## What the networks compute
#
# zerosum's discriminator returns the *logit* $a$, and $D(x) = \sigma(a)$. Both contain the same
# information, and losses computed from $a$ keep their gradient where $D$ rounds to 0 or 1. The shapes
# of the tensors:

# %%
from zerosum.data.space import points
from zerosum.play.players import Players

torch.manual_seed(0)
players = Players(LESSON, points((0.0,), (1.0,)), torch.device("cpu"))
z = torch.rand(5, 1) * 2 - 1
x = players.G(z)
a = players.D(x)
print(f"z {tuple(z.shape)} -> G -> {tuple(x.shape)} -> D -> {tuple(a.shape)}; probabilities {[round(p, 2) for p in a.sigmoid().tolist()]}")
print(f"weights: G {sum(p.numel() for p in players.G.parameters()):,}, D {sum(p.numel() for p in players.D.parameters()):,}")

# %% [markdown]
# ## The distribution of G(z)
#
# In general we cannot write down $p_g$. In one dimension we can, by a change of variables: the mass
# $p_z(z) dz$ of a small interval moves to an interval of length $|G'(z)| dz$ around $x = G(z)$.
#
# $$p_g(x) = \sum_{z : G(z) = x} \frac{p_z(z)}{|G'(z)|}$$
#
# Where $G$ contracts, $|G'|$ is small and $p_g$ is high. Where $G$ folds, several $z$ contribute to the
# sum. zerosum uses this formula to compute $p_g$ of a network exactly:
#
# ```python
# # src/zerosum/theory/pushforward.py
#         return torch.where(inside, _density(self.prior, there) / slope[k].abs(), torch.zeros_like(at))
# ```
#
# Textbooks have the answer for one example. If $z$ is normal, $G(z) = z^2$ has the chi-squared density
# $e^{-x/2} / \sqrt{2 \pi x}$.

# %%
from math import exp, pi, sqrt

from zerosum.theory.pushforward import pushforward

p_g = pushforward(lambda z: z**2)
rows = [
    (f"p_g({at}) of G(z) = z^2", exp(-at / 2) / sqrt(2 * pi * at), float(p_g.density(torch.tensor([at]).double())))
    for at in (0.5, 1.0, 2.0)
]
print(beside([*rows, ("mass of p_g", 1.0, float(p_g.mass.sum()))]))

# %% [markdown]
# ## What a GAN does not need
#
# - No density and no integral: $G$ only draws samples, in one forward pass.
# - No Markov chain, that is, no long random walk before each sample.
# - No lower bound in place of the likelihood, as variational autoencoders use.
#
# The drawbacks: there is no $p_g(x)$ to read off for data in many dimensions, and the two networks have to
# stay in step with each other during training. The data never reach $G$ directly. It learns from the
# gradient that passes through $D$.
#
# ## Try it
#
# `zerosum lab` opens the live page. Its first stop shows the arrows from $z$ to $x$ while $G$ learns.
# `zerosum lab --figure lesson.gif` writes the same as an animation.
#
# ## Exercises
#
# **1.** $z$ is uniform on $[-1, 1]$ and $G(z) = 3 z + 1$. What is $p_g$?
#
# <details><summary>Answer</summary>
#
# $p_z = 1/2$ and $G' = 3$, so $p_g = 1/6$ on $[-2, 4]$, and 0 elsewhere.
#
# </details>
#
# **2.** Which $G$ makes a given density $p$ with the distribution function $F$ from a uniform $z$ on
# $[0, 1]$?
#
# <details><summary>Answer</summary>
#
# $G = F^{-1}$: then $P(G(z) \le x) = P(z \le F(x)) = F(x)$. In one dimension every GAN has to find this
# function, or one that folds it.
#
# </details>
#
# **3.** Why is the best accuracy of $D$ at least $1/2$, and when is it exactly $1/2$?
#
# <details><summary>Answer</summary>
#
# $\int \max(p, q) \ge \int p = 1$. Equality needs $\max(p, q) = p$, that is $q \le p$, everywhere. Both
# integrate to 1, so $p = q$.
#
# </details>
