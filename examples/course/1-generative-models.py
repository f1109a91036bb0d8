# ruff: noqa: E402
# %% [markdown]
# # 1. What a generative model is
#
# This course explains generative adversarial networks (GANs) to a reader who knows calculus and some
# Python. Each chapter has a figure, cells that you can run, and the measured number beside the proved
# one. Every output below a cell was printed by that cell.
#
# ## Distributions
#
# Imagine all photographs of cats. Some pictures are likely, most arrays of pixels are not: they look
# like noise. A *distribution* says how likely each $x$ is. For continuous $x$ it has a *density*
# $p(x)$: the probability of a small interval is its length times $p$. The density is never negative,
# and its integral over all $x$ is 1. The mean of a function $f$ under the distribution is its
# *expectation*, $E_{x \sim p} f(x) = \int f(x) p(x) dx$.
#
# We call the distribution of the data $p_{data}$. We do not know it. We have *samples*: photographs
# that somebody took. A *generative model* learns to produce new samples from a distribution as close
# to $p_{data}$ as possible.
#
# ## Discriminative and generative models
#
# A *discriminative* model answers a question about a given $x$: is there a cat in this picture? It
# learns $p(y | x)$, the probability of a label $y$. A *generative* model learns $p(x)$ itself, or how
# to draw from it. The second task is harder: to answer "cat or dog?" it is enough to know about ears,
# but to draw a cat you have to know everything.
#
# The simplest discriminative model is *logistic regression*. It estimates the probability that $x$
# belongs to the first of two classes as $\sigma(w x + c)$, where
# $\sigma(a) = 1 / (1 + e^{-a})$ turns any number $a$, the *logit*, into a probability. *Softmax
# regression* (multiclass logistic regression) does the same for more classes: class $i$ has the
# probability $e^{a_i} / \sum_j e^{a_j}$, and the probabilities add to 1.

# %%
import torch

from zerosum.data.density import gaussian, mixture
from zerosum.data.mnist import digits
from zerosum.report.course import Picture, beside
from zerosum.theory.baseline import fit_logistic_d, fit_softmax, gaussian_d_star, softmax_accuracy
from zerosum.theory.pair import line


def rows(part, n):
    images, labels = digits(part)
    return torch.from_numpy(images[:n].copy()).flatten(1).float() / 255, torch.from_numpy(labels[:n].copy()).long()


pair = line(gaussian(), mixture([1.0], [1.0], [1.0]))
fitted, exact = fit_logistic_d(pair.x, pair.P, pair.Q), gaussian_d_star(0.0, 1.0, 1.0)
weights = fit_softmax(*rows("train", 2000), classes=10, decay=1e-3)
accuracy = softmax_accuracy(weights, *rows("t10k", 2000))
print(beside([("N(0,1) or N(1,1)? slope w", exact[0], fitted[0]), ("N(0,1) or N(1,1)? offset c", exact[1], fitted[1])]))
print(f"softmax regression reads {accuracy:.1%} of 2,000 digits that it has not seen (guessing: 10 %)")

# %% [markdown]
# Why is the proved $w$ equal to -1? The odds of the classes are $p(x) / q(x)$. For two Gaussians of
# variance 1 with means 0 and 1, the logarithm of the odds is $((x - 1)^2 - x^2) / 2 = 1/2 - x$.
#
# ## How close are two distributions?
#
# A loss needs a number that says how far the model's density $p_g$ is from $p_{data}$. Two are used
# throughout this course. Both are 0 exactly when the densities are equal.
#
# - The *Kullback-Leibler divergence* is $KL(p \| q) = E_{x \sim p} \log \frac{p(x)}{q(x)}$. It is not
#   symmetric, and it is infinite where $q$ misses something that $p$ has.
# - The *Jensen-Shannon divergence* compares both with their mean $M = (p + q) / 2$:
#   $JSD(p, q) = \frac{1}{2} KL(p \| M) + \frac{1}{2} KL(q \| M)$. It is symmetric, and at most
#   $\log 2 = 0.693$.
#
# With the natural logarithm, the unit of both is the *nat*. Entropy, $H(p) = -E \log p$, has the same
# unit.
#
# ## Maximum likelihood
#
# The classical way to fit a model is *maximum likelihood*. Take a family of densities $p_\theta$, with
# adjustable numbers $\theta$ (the *parameters*). Choose the $\theta$ under which the observed samples
# $x_1 \dots x_n$ were most probable: the one with the largest mean of $\log p_\theta(x_i)$. That is
# the same as the smallest $KL(p_{data} \| p_\theta)$, because
# $KL(p_{data} \| p_\theta) = E \log p_{data}(x) - E \log p_\theta(x)$ and the first term does not
# depend on $\theta$.
#
# For a Gaussian, setting the derivatives to zero gives the mean and the variance of the samples. That
# is the best Gaussian, but it can still be a bad model. The data in the next cell have two bumps.

# %%
from zerosum.chance import generator
from zerosum.data.density import bimodal
from zerosum.theory.baseline import fit_gaussian, fit_mixture
from zerosum.theory.optimum import jsd

p_data = bimodal()
samples = p_data.sample(10_000, generator(0, "course"))
one, two = fit_gaussian(samples), fit_mixture(samples, 2)
print(
    beside(
        [
            ("likeliest Gaussian: its standard deviation", float(p_data.std[0]), float(one.std[0])),
            ("likeliest Gaussian: JSD to p_data, nats", "> 0", jsd(line(p_data, one))),
            ("likeliest mixture of two: JSD to p_data, nats", 0.0, jsd(line(p_data, two))),
        ]
    )
)

# %% [markdown]
# The mixture fits because we knew the form of the answer: two bumps. For photographs nobody knows it.
# And a flexible function becomes a density only after division by its integral, which is too hard to
# compute in thousands of dimensions. GANs avoid both problems: they never write down a density.
#
# ## Neural networks
#
# What do we use as flexible functions? A *neural network* alternates two kinds of layers. A *linear
# layer* computes $W h + b$ from its input $h$. An *activation function* bends each number, for
# example $\tanh$, or *ReLU*, $\max(0, h)$. Its parameters $\theta$ are all the $W$ and $b$. A *loss*
# says how wrong the output is. *Gradient descent* improves $\theta$ by small steps against the
# gradient of the loss, $\theta \leftarrow \theta - \eta \nabla_\theta \text{loss}$, where $\eta$ is
# the *learning rate*. *Adam* is gradient descent that adapts the size of each parameter's step.
#
# *Backpropagation* computes the gradient. It is the chain rule, applied from the last layer to the
# first. For one hidden unit, $\text{out} = v \tanh(w x)$ and loss $(\text{out} - y)^2$, the chain rule
# gives $\partial \text{loss} / \partial w = 2 (\text{out} - y) \cdot v \cdot (1 - \tanh^2(w x)) \cdot x$.
#
# A network with more units can represent more functions: it has a higher *capacity*. With enough
# hidden units, one layer approximates any continuous function on an interval (Cybenko 1989; Hornik,
# Stinchcombe and White 1989). The right part of the figure shows it.

# %%
from zerosum.report.panels import draw_panels

x, y, w, v = (torch.tensor(t, dtype=torch.float64) for t in (0.7, 1.0, 0.4, 1.3))
w.requires_grad_()
out = v * torch.tanh(w * x)
(automatic,) = torch.autograd.grad((out - y) ** 2, w)
by_hand = 2 * (out - y) * v * (1 - torch.tanh(w * x) ** 2) * x
print(beside([("d loss / d w by the chain rule", float(by_hand.detach()), float(automatic))]))


def fit(width, steps=400):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)).double()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(steps):
        loss = ((net(at[:, None])[:, 0] - target) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net(at[:, None])[:, 0].detach(), float(loss.detach())


at = torch.linspace(-3, 3, 200, dtype=torch.float64)
target = torch.sin(2 * at) + 0.5 * at
curves = {"function": (at.numpy(), target.numpy())}
for width in (1, 4, 16):
    found, loss = fit(width)
    curves[f"hidden units: {width}"] = (at.numpy(), found.numpy())
    print(f"hidden units: {width:2}, mean squared error {loss:.4f}")

axis = torch.linspace(-4.5, 4.5, 400, dtype=torch.float64)
densities = {"p_data": p_data, "likeliest Gaussian": one, "likeliest mixture": two}
Picture(
    draw_panels(
        {
            "density / x": {name: (axis.numpy(), p.log_prob(axis).exp().round(decimals=3).numpy()) for name, p in densities.items()},
            "capacity: what a network can fit / x": curves,
        }
    ),
    "Left: the likeliest Gaussian misses both bumps. Right: more hidden units fit a curve better.",
)

# %% [markdown]
# ## Where GANs are used
#
# A GAN trains a network that turns noise into samples. Applications include faces and other pictures
# of high resolution, larger versions of small pictures (super-resolution), pictures from sketches or
# other pictures (image-to-image translation, such as horses to zebras), filling holes in pictures,
# more training data for other models, and fast simulation in physics. In each case the same question
# replaces a hand-written loss: can a second network see the difference?
#
# ## Try it
#
# `zerosum lab` opens the live page: a GAN in one dimension, trained in front of you.
# `zerosum train bimodal --minutes 1` trains a GAN on the two bumps.
#
# ## Exercises
#
# **1.** Show that $KL(p \| q) \ge 0$. (Use $\log t \le t - 1$.)
#
# <details><summary>Answer</summary>
#
# $-KL(p \| q) = E_p \log \frac{q}{p} \le E_p (\frac{q}{p} - 1) = \int q - \int p \le 1 - 1 = 0$. Equality
# needs $q / p = 1$ wherever $p > 0$.
#
# </details>
#
# **2.** Let $p$ be uniform on $[0, 1]$ and $q$ uniform on $[0, 2]$. Compute $KL(p \| q)$, $KL(q \| p)$
# and the JSD.
#
# <details><summary>Answer</summary>
#
# $KL(p \| q) = \log 2$. $KL(q \| p)$ is infinite: $q$ has half of its mass where $p$ is 0. The mean
# $M$ is $3/4$ on $[0, 1]$ and $1/4$ on $[1, 2]$, so
# $JSD = \frac{1}{2} \log \frac{4}{3} + \frac{1}{2} (\frac{1}{2} \log \frac{2}{3} + \frac{1}{2} \log 2) = 0.216$
# nats.
#
# </details>
#
# **3.** Derive the likeliest Gaussian: maximise the mean of $\log N(x_i; \mu, \sigma^2)$.
#
# <details><summary>Answer</summary>
#
# The mean is $-\log \sigma - \frac{1}{2} \log 2 \pi - \frac{1}{2 n \sigma^2} \sum (x_i - \mu)^2$. The
# derivative by $\mu$ vanishes at $\mu = \frac{1}{n} \sum x_i$, and the derivative by $\sigma$ at
# $\sigma^2 = \frac{1}{n} \sum (x_i - \mu)^2$.
#
# </details>
