# ruff: noqa: E402
# %% [markdown]
# # 8. DCGAN, and what came after
#
# ## Convolutions
#
# The MLPs of chapter 5 give every pixel its own weights. A *convolution* uses the same small *kernel*
# everywhere in the image. With *stride* 2 it moves by two pixels and halves the side of the image. A
# *transposed convolution* is its counterpart: each input pixel writes a copy of the kernel, multiplied
# by its value, into the output; copies overlap and are added. With stride 2 it doubles the side. For an
# input of side $n$, kernel $k$, stride $s$ and padding $p$ the output has the side $(n - 1) s - 2 p + k$.

# %%
import torch
from torch.nn.functional import conv_transpose2d

from zerosum.report.course import Picture, beside
from zerosum.report.diagrams import draw_dcgan, draw_transposed_convolution

inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
kernel = torch.tensor([[1.0, 2.0, 2.0, 1.0]]).T @ torch.tensor([[1.0, 1.0, 1.0, 1.0]])
output = conv_transpose2d(inputs[None, None], kernel[None, None], stride=2, padding=1)[0, 0]
sides = [conv_transpose2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, 4, 4), stride=2, padding=1).shape[-1] for n in (4, 8, 16, 32)]
print(
    beside(
        [
            (f"side of the output for an input of side {n}", float((n - 1) * 2 - 2 + 4), float(s))
            for n, s in zip((4, 8, 16, 32), sides, strict=True)
        ]
    )
)
Picture(
    draw_transposed_convolution(inputs.tolist(), kernel.tolist(), output.tolist(), stride=2, padding=1),
    "A transposed convolution with stride 2 doubles the side of its input.",
)

# %% [markdown]
# ## DCGAN
#
# Radford et al. 2015 (arXiv 1511.06434) found convolutional networks that train stably. Their rules:
#
# - Convolutions with stride in $D$ and transposed ones in $G$ replace pooling and upsampling.
# - *BatchNorm* in both networks: each channel is shifted and scaled to mean 0 and variance 1 over the
#   minibatch. Not at $G$'s output and not at $D$'s input.
# - No fully connected hidden layers.
# - ReLU in $G$ and tanh at its end, so images are in $[-1, 1]$; LeakyReLU with slope 0.2 in $D$.
# - Adam with learning rate 0.0002 and $\beta_1 = 0.5$; batches of 128; weights from $N(0, 0.02^2)$.
#
# `zerosum train photos/ --preset dcgan` trains it as published.

# %%
Picture(draw_dcgan(), "The DCGAN generator: from 100 numbers to an image of 64 x 64 pixels in three colours.")

# %% [markdown]
# ## Walks and arithmetic with z
#
# If $G$ had learned its training images by heart, the image would jump somewhere on the way from one
# $z$ to another. In a good $G$ it changes smoothly. This is a *latent walk*. Radford et al. also
# calculated with $z$: the mean $z$ of smiling women, minus that of women, plus that of men, gave smiling
# men. The next cell trains a small convolutional GAN on MNIST and does both. It looks for the direction
# of "more ink": the mean $z$ of its boldest samples minus the mean $z$ of its thinnest.

# %%
import os
import tempfile
from pathlib import Path

import numpy as np

import zerosum as zs
from zerosum.report.scenario_figure import draw_pictured
from zerosum.runs.sampling import noise, through

samples = int(os.environ.get("COURSE_SAMPLES", 12_000))
trained = os.environ.get("COURSE_RUN")  # a run of an earlier time, if there is one
run = zs.load(trained) if trained else zs.train("mnist", samples=samples, out=Path(tempfile.mkdtemp()) / "run", progress=False)
G = run.players().ema.module.eval()
z = noise(run.config.prior, 2000, 0)


def images(z):
    return run.space.to_array(through(G, z, run.space))


ink = torch.from_numpy(images(z).reshape(len(z), -1).mean(1))
order = ink.argsort()
direction = z[order[-200:]].mean(0) - z[order[:200]].mean(0)
start, end = noise(run.config.prior, 8, 1), noise(run.config.prior, 8, 2)
walk = torch.stack([start[i] + (end[i] - start[i]) * t for i in range(5) for t in torch.linspace(0, 1, 8)])
bolder = torch.stack([start[i] + direction * t for i in range(5) for t in torch.linspace(-1.5, 1.5, 8)])
thin, bold = (float(images(start + sign * 1.5 * direction).mean()) for sign in (-1, 1))
print(f"mean brightness of the same eight digits, 0 to 255: {thin:.0f} with z - 1.5 v, {bold:.0f} with z + 1.5 v")
Picture(
    draw_pictured({}, {"latent walks: each row from one z to another": images(walk), "arithmetic: each row adds more ink": images(bolder)}),
    f"Latent walks, and a direction of z that means ink, after {samples:,} samples seen.",
)

# %% [markdown]
# ## What came after
#
# Most later work changes the game or keeps $D$ smooth.
#
# - **WGAN-GP** (Arjovsky et al. 2017, arXiv 1701.07875; Gulrajani et al. 2017, arXiv 1704.00028). $D$
#   returns any number, and the loss is the difference of its means. If the slope of $D$ is at most 1,
#   this estimates the Wasserstein distance: how far mass has to be moved, on average, to turn $p_g$ into
#   $p_{data}$. It has a slope even where the densities do not overlap. A penalty holds the slope of $D$
#   at 1 between real and generated samples.
# - **R1 and R2** (Mescheder et al. 2018, arXiv 1801.04406). A penalty on $\|\nabla D\|^2$ at real samples
#   (R1) or generated ones (R2). It damps oscillation (chapter 7).
# - **Relativistic games** (Jolicoeur-Martineau 2018, arXiv 1807.00734). $D$ compares a real sample with a
#   generated one, instead of judging each alone. With R1 and R2 this is R3GAN (Huang et al. 2024, arXiv
#   2501.05441), and zerosum's default.
# - **Projection** (Miyato and Koyama 2018, arXiv 1802.05637). With class labels, $D$ adds the product of
#   its features and a vector of the class. In zerosum: `--net.classes auto`.
# - **Augmentation** (Zhao et al. 2020, arXiv 2006.10738; Karras et al. 2020, arXiv 2006.06676). Real and
#   generated images are transformed alike before $D$ sees them, so a few images last longer. In zerosum:
#   `--game.augment diffaugment`.
#
# The next cell plays the games on the ring of chapter 7 with the same networks and the same number of
# steps. Means over two seeds.

# %%
from dataclasses import replace

from zerosum.report.text_table import text_table
from zerosum.study.density_game import DensityGame
from zerosum.study.helvetica import GAME, ring
from zerosum.study.scenario_result import blurred_jsd, modes_reached

GAMES = {
    "minimax": ("minimax", "none", 0.0, "-"),
    "non-saturating": ("non_saturating", "none", 0.0, "vanishing gradients"),
    "WGAN-GP": ("wasserstein", "gp", 10.0, "no slope where densities do not overlap"),
    "non-saturating, R1": ("non_saturating", "r1", 0.1, "oscillation"),
    "relativistic, R1 and R2": ("relativistic", "r1r2", 0.1, "mode collapse"),
}
measured = []
for name, (value, penalty, gamma, improves) in GAMES.items():
    found = []
    for seed in range(2):
        game = DensityGame(ring(), replace(GAME, seed=seed, game=replace(GAME.game, value=value, penalty=penalty, gamma=gamma)), 400)
        game.play(400)
        found.append((modes_reached(game)[0], blurred_jsd(game).jsd))
    modes, jsd = np.mean(found, 0)
    measured.append((name, improves, f"{modes:.1f}", f"{jsd:.3f}"))
print(text_table(("game", "what it is meant to help against", "modes of 8", "JSD, nats"), measured))

# %% [markdown]
# After so few steps every game is still far from the data, and the differences are small: a short trial does
# not rank games. `zerosum lab drawbacks` plays longer, and `zerosum stress ring8` compares a whole training with
# published figures. Projection and augmentation need labels or images. Their effect has not been measured here.
#
# ## Try it
#
# `zerosum lab` opens the live page, where the game can be changed while it runs.
# `zerosum sample RUN -n 80 --interpolate --out walk.png` writes latent walks of any run.
#
# ## Exercises
#
# **1.** Which kernel, stride and padding turn $7 \times 7$ into $14 \times 14$? And $1 \times 1$ into $4 \times 4$?
#
# <details><summary>Answer</summary>
#
# $(7 - 1) \cdot 2 - 2 p + k = 14$ gives $k = 2 + 2 p$: kernel 4, stride 2, padding 1. From $1 \times 1$:
# $0 - 2 p + k = 4$: kernel 4, padding 0, any stride.
#
# </details>
#
# **2.** Why is BatchNorm in $D$ refused together with R1?
#
# <details><summary>Answer</summary>
#
# R1 is the gradient of $D$ at one sample. With BatchNorm, $D(x)$ depends on the other samples of the
# minibatch, so this gradient is not defined for one sample.
#
# </details>
#
# **3.** Interpolate between $z_1$ and $z_2$, both normal in 64 dimensions, by $(z_1 + z_2) / 2$. Why is the
# middle unlike the noise that $G$ was trained with?
#
# <details><summary>Answer</summary>
#
# The length of a normal vector in 64 dimensions is near $\sqrt{64} = 8$. The middle has half of the variance
# in each coordinate, so its length is near $8 / \sqrt{2} = 5.7$. Walking on the sphere avoids that.
#
# </details>
