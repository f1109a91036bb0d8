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
# men. The next cell trains a small convolutional GAN on MNIST, which is told the digit that it shall draw,
# and does both. It looks for the direction of "more ink": the mean $z$ of the boldest samples of a digit
# minus the mean $z$ of the thinnest.

# %%
import os
import tempfile
from pathlib import Path

import numpy as np

import zerosum as zs
from zerosum.report.scenario_figure import draw_pictured
from zerosum.runs.sampling import noise, through

samples = int(os.environ.get("COURSE_SAMPLES", 60_000))
trained = os.environ.get("COURSE_RUN")  # a run of an earlier time, if there is one
run = zs.load(trained) if trained else zs.train("mnist", samples=samples, out=Path(tempfile.mkdtemp()) / "run", progress=False)
G = run.players().ema.module.eval()


def images(z, digit):
    return run.space.to_array(through(G, z, run.space, torch.full((len(z),), digit)))


z = noise(run.config.prior, 1000, 0)
start, end = noise(run.config.prior, 10, 1), noise(run.config.prior, 10, 2)
along = torch.linspace(0, 1, 8)[:, None]
walks, bolder, brightness = [], [], []
for digit in range(10):
    order = images(z, digit).reshape(len(z), -1).mean(1).argsort()
    ink = z[order[-100:]].mean(0) - z[order[:100]].mean(0)  # from thin to bold
    walks.append(images(start[digit] + (end[digit] - start[digit]) * along, digit))
    bolder.append(images(start[digit] + ink * (3 * along - 1.5), digit))
    brightness.append(bolder[-1].reshape(8, -1).mean(1))
thin, bold = np.mean(brightness, 0)[[0, -1]]
print(f"mean brightness of the same ten digits, 0 to 255: {thin:.0f} with z - 1.5 v, {bold:.0f} with z + 1.5 v")
panels = {"latent walks: each row from one z to another": walks, "arithmetic: each row adds ink": bolder}
Picture(
    draw_pictured({}, {title: np.concatenate(rows) for title, rows in panels.items()}),
    f"Latent walks, and a direction v of z that means ink, after {samples:,} samples seen.",
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
# What is each of them good for? The next cell plays pairs of games that differ in one technique alone, on
# the problem that it was made for. Means over two seeds.

# %%
from zerosum.report.text_table import text_table
from zerosum.study.remedies import remedies

rows = remedies(2, 600, lambda stage, done, total: None).rows
print(
    text_table(
        ("technique", "made for", "without", "with"),
        [(r["technique"], r["problem"], f"{r['without']:.3g}", f"{r['with']:.3g}") for r in rows],
    )
)
for measure in dict.fromkeys(r["measure"] for r in rows):
    print(f"{', '.join(r['technique'] for r in rows if r['measure'] == measure)}: {measure}")

# %% [markdown]
# Each technique helps with its own problem. On another one it may do nothing. The relativistic game helps
# least here: over ten seeds $G$ reaches 3.1 modes instead of 2.3, and with R1 it changes nothing (4.9 and
# 5.2). It is the penalties that keep the modes apart. `zerosum lab remedies` plays more seeds and prints
# intervals, and `zerosum stress ring8` compares a whole training with published figures.
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
