# ruff: noqa: F821
# %% [markdown]
# # 5. Build it yourself
#
# This chapter is a complete GAN in plain PyTorch, about 60 lines: multilayer perceptrons (MLPs) that learn
# to draw handwritten digits. It needs nothing of zerosum. The file is `examples/mnist_gan.py`.
#
# ## The data
#
# MNIST has 60,000 training images of handwritten digits, 28 x 28 pixels, grey. Each image becomes a vector
# of 784 numbers from -1 (black) to 1 (white), because the last layer of $G$ is a tanh, whose values are
# in that interval.
#
# ## The networks, the loss and the optimiser
#
# - $G$: 64 normal numbers, two hidden layers with *PReLU*, and tanh. PReLU is a ReLU whose slope for
#   negative inputs is learned. *BatchNorm* keeps the units of a layer at mean 0 and variance 1 over the
#   minibatch. It makes a large learning rate possible.
# - $D$: 784 numbers, two hidden layers with *LeakyReLU*, slope 0.01 for negative inputs, so that no unit
#   ever has a gradient of exactly 0. *Dropout* switches 30 % of the units off at random in each update.
#   That holds $D$ back, which would otherwise be certain soon.
# - The loss is the binary cross-entropy (BCE) of chapter 3. `BCEWithLogitsLoss` is BCE after a Sigmoid,
#   computed without rounding to 0 or 1.
# - *Adam* with $\beta_1 = 0.5$: a short memory of past gradients. The usual 0.9 keeps pushing in
#   directions that were right before the other network moved.
# - The result is an *averaged generator* (EMA): after each step its weights move by 0.2 % to those of
#   $G$. It smooths the wobble of a game.
#
# ## The listing

# %% include examples/mnist_gan.py

# %% [markdown]
# ## Line by line
#
# | here | zerosum |
# | --- | --- |
# | `read_images` | `zerosum.data.mnist.digits`, and `Space.encode` for the step to $[-1, 1]$ |
# | `make_generator`, `make_discriminator` | `zerosum.nets.mlp`: `--net.kind mlp`, `--net.activation leaky_relu` or `prelu` |
# | `D(batch)` is a logit | the same: $D$ returns one logit for each sample |
# | `bce(..., real) + bce(..., generated)` | `VALUES["minimax"].d`: softplus(-a) + softplus(b) |
# | `bce(D(fake), real)` | `VALUES["non_saturating"].g`: softplus(-b) |
# | `fake.detach()` | `discriminator_loss` detaches real and generated samples |
# | `opt_d.step()`, then `opt_g.step()` | `Algorithm1.iteration`: `_update("d", ...)`, `_update("g", ...)` |
# | `torch.manual_seed` | `zerosum.chance`: every draw is a function of seed, purpose and counter |
# | `slow.lerp_(fast, 1 - KEEP)` | `zerosum.nets.ema.EMA`: `--average` |
# | `draw` | `zerosum sample RUN -n 64 --out digits.png` |
#
# ## Train it
#
# Three minutes on two free CPU cores are about 12,000 steps; this page was made on one core. The number
# below is from a digit classifier in the zerosum package: the share of generated digits that it reads with
# a probability of at least 0.9. It reads almost all real ones, and is stricter than a person.

# %%
import os
from importlib.resources import files

from zerosum.measure.features import features
from zerosum.report.course import Picture
from zerosum.report.scenario_figure import draw_pictured

MINUTES = float(os.environ.get("COURSE_MINUTES", 3))
x = read_images(str(files("zerosum.data").joinpath("digits")))


@torch.no_grad()
def made(G, n=1000):
    torch.manual_seed(1)
    return ((G(torch.randn(n, Z)) + 1) * 127.5).round().byte().view(n, 28, 28).numpy()


@torch.no_grad()
def readable(images):
    p = features("digits").logits(torch.from_numpy(images)[:, None]).softmax(1).max(1)
    return float((p.values >= 0.9).float().mean()), len(p.indices.unique())


G, steps = train(x, 60 * MINUTES)
digits = made(G)
print(f"{steps:,} steps of {BATCH} real samples")
real = ((x[:1000] + 1) * 127.5).round().byte().view(-1, 28, 28).numpy()
for name, images in (("real", real), ("generated", digits)):
    share, kinds = readable(images)
    print(f"{name}: {share:.0%} are read with a probability of at least 0.9, {kinds} kinds of digits")

# %% [markdown]
# ## The usual loop collapses
#
# Most first attempts differ in a few settings that look harmless: Adam as PyTorch has it ($\beta_1 = 0.9$), a
# learning rate of 0.002, no BatchNorm, no Dropout, no averaged generator. The next cell changes these and
# trains for half a minute.

# %%
LR, BETAS, KEEP = 2e-3, (0.9, 0.999), 0.0


def make_generator():
    return nn.Sequential(nn.Linear(Z, 256), nn.PReLU(), nn.Linear(256, 512), nn.PReLU(), nn.Linear(512, 784), nn.Tanh())


def make_discriminator():
    return nn.Sequential(nn.Linear(784, 512), nn.LeakyReLU(0.01), nn.Linear(512, 256), nn.LeakyReLU(0.01), nn.Linear(256, 1))


usual, steps = train(x, 10 * MINUTES)
collapsed = made(usual)
share, kinds = readable(collapsed)
print(f"usual loop: {share:.0%} are read, {kinds} kinds of digits")
varies = {name: float(images.std(0).mean()) for name, images in (("usual", collapsed), ("tuned", digits), ("real", real))}
print("mean standard deviation of a pixel over images: " + ", ".join(f"{name} {std:.1f}" for name, std in varies.items()))
Picture(draw_pictured({}, {"tuned": digits[:64], "the usual loop": collapsed[:64]}), "64 samples of each listing, not selected.")

# %% [markdown]
# A trap: the classifier is certain about this noise, too, and calls all of it the same digit. One number
# says nothing about a GAN. The number of kinds and the variation show the collapse.
#
# Why does it happen? With these settings $D$ becomes certain within seconds. The non-saturating loss then has a strong
# gradient, but the same one for every $z$: towards whatever $D$ still takes for real. The large steps and
# the long memory of $\beta_1 = 0.9$ push all of $G$'s output there at once, and tanh saturates: a pixel
# at -1 or 1 has no gradient any more. All $z$ give the same image. Chapter 7 has the cures.
#
# ## One command that does better
#
# ```
# zerosum train mnist --minutes 3 --out runs/digits
# ```
#
# It uses convolutions, a relativistic game with gradient penalties, and a schedule for each option
# (chapter 8; [presets.md](../presets.md) has the scores). It writes a report that explains the run.
#
# ## Try it
#
# `python examples/mnist_gan.py src/zerosum/data/digits --minutes 3` trains the listing and writes a
# picture. `zerosum train mnist --preset goodfellow --minutes 3` trains similar networks and diagnoses
# them. `zerosum lab` opens the live page.
#
# ## Exercises
#
# **1.** How many parameters do the linear layers of $D$ have?
#
# <details><summary>Answer</summary>
#
# $784 \cdot 512 + 512 + 512 \cdot 256 + 256 + 256 \cdot 1 + 1 = 533{,}505$.
#
# </details>
#
# **2.** Why are real samples scaled to $[-1, 1]$, and what would $D$ learn if they stayed in $[0, 255]$?
#
# <details><summary>Answer</summary>
#
# $G$ ends in tanh and cannot leave $[-1, 1]$. $D$ would need one look at the brightness to tell real from
# generated samples, and $G$ could never answer.
#
# </details>
#
# **3.** In the listing, `fake` is used for both losses. Algorithm 1 draws new noise for $G$. What is the
# difference?
#
# <details><summary>Answer</summary>
#
# $D$ has just been updated on these very samples, so its answers on them are slightly too certain. The
# expectation is nearly the same, and one forward pass of $G$ is saved. zerosum has both:
# `--game.fakes reused` or `fresh`.
#
# </details>
