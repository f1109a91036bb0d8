# ruff: noqa: E402
# %% [markdown]
# # 3. The value function
#
# Both networks are trained with one number, the *value function* (equation 1 of Goodfellow et al. 2014):
#
# $$V(D, G) = E_{x \sim p_{data}} \log D(x) + E_{z \sim p_z} \log(1 - D(G(z)))$$
#
# $D$ is trained to make $V$ large, and $G$ to make it small: $\min_G \max_D V(D, G)$.
#
# ## Every symbol
#
# | symbol | what it is |
# | --- | --- |
# | $x$ | a sample: a number, a point, or all pixels of an image |
# | $p_{data}$ | the distribution of the data |
# | $z$, $p_z$ | noise, and its distribution, the prior |
# | $G(z)$, $\theta_g$ | a generated sample; the parameters of the generator |
# | $p_g$ | the distribution of $G(z)$ when $z \sim p_z$ |
# | $D(x)$, $\theta_d$ | the probability, according to $D$, that $x$ is real; the parameters of the discriminator |
# | $a$, $b$ | the logits of $D$: $a$ of a real sample, $b$ of a generated one, $D = \sigma(a)$ |
# | $E_{x \sim p_{data}}$ | the mean over all real samples |
# | $E_{z \sim p_z}$ | the mean over all noise |
# | $\log$ | the natural logarithm, so $V$ is in nats |
# | $J_D$, $J_G$ | the losses of the two networks, both minimised: $J_D = -V$ and $J_G = V$ |
# | $k$ | updates of $D$ in each training step |
#
# ## Who moves which term
#
# The logarithm increases: the larger its argument, the larger it is.
#
# - The first term, $\log D(x)$, is large when $D$ gives real samples a probability near 1. At best it
#   is $\log 1 = 0$.
# - The second term, $\log(1 - D(G(z)))$, is large when $D$ gives generated samples a probability near
#   0. At best it is $\log 1 = 0$ too.
#
# So $V \le 0$, and a $D$ without any error has $V = 0$. That is why $D$ wants $V$ large. $G$ does not
# occur in the first term. It can only move the second one, and wants it small: $D(G(z))$ near 1.
#
# A $D$ that always answers $1/2$ has $V = \log \frac{1}{2} + \log \frac{1}{2} = -\log 4$. Chapter 6 shows
# that the game ends there.

# %%
import torch

from zerosum.report.course import Picture, beside
from zerosum.report.panels import draw_panels

answer = torch.linspace(0.005, 0.995, 400, dtype=torch.float64)
real = {"log D(x): D moves it up": (answer.numpy(), answer.log().numpy())}
generated = {"log(1 - D(G(z))): D moves it up, G down": (answer.numpy(), (1 - answer).log().numpy())}
Picture(
    draw_panels(
        {
            "first term: real samples / D(x)": real,
            "second term: generated samples / D(G(z))": generated,
        }
    ),
    "The two terms of V. D moves both, G only the second.",
)

# %% [markdown]
# ## A zero-sum game
#
# The loss of $D$ is $J_D = -V$, and the loss of $G$ is $J_G = V$. Whatever one player gains, the other
# loses: $J_D + J_G = 0$. Such a game is called *zero-sum*, and this software is named after it. Some
# texts write $J_G = J_D$. That is a slip: with equal losses the two networks would help each other.
# It has to be $J_G = -J_D$.
#
# A *Nash equilibrium* is a pair $(D, G)$ where neither player can improve its own loss alone. It is a
# saddle point of $V$: a maximum over $D$ and a minimum over $G$. Training looks for a saddle, not for
# the bottom of a valley, and chapter 7 shows what that means.
#
# ## V is the binary cross-entropy
#
# The loss of an ordinary classifier with label $y$ and answer $D$ is the *binary cross-entropy*,
#
# $$BCE(D, y) = -y \log D - (1 - y) \log(1 - D)$$
#
# With label 1, only $-\log D(x)$ is left. With label 0, only $-\log(1 - D(G(z)))$. Term by term,
# $BCE(D(x), 1) + BCE(D(G(z)), 0) = -V$, so in PyTorch the discriminator loss is `BCELoss` with ones and
# zeros. zerosum computes it from the logits, with $-\log \sigma(a) = softplus(-a) = \log(1 + e^{-a})$:
#
# ```python
# # src/zerosum/game/value.py
#     return softplus(-a) + softplus(b)
# ```

# %%
from torch.nn.functional import binary_cross_entropy

from zerosum.game.value import VALUES

a, b = torch.linspace(-5, 5, 11).double(), torch.linspace(4, -6, 11).double()
minus_v = VALUES["minimax"].d(a, b)
entropy = binary_cross_entropy(a.sigmoid(), torch.ones_like(a), reduction="none")
entropy = entropy + binary_cross_entropy(b.sigmoid(), torch.zeros_like(b), reduction="none")
whole_g = -minus_v  # J_G with both terms
print(
    beside(
        [
            ("BCE with labels 1 and 0, minus -V: largest difference", 0.0, float((minus_v - entropy).abs().max())),
            ("J_D + J_G", 0.0, float((minus_v + whole_g).abs().max())),
            ("V of a D that always answers 1/2", -1.386294, -float(VALUES["minimax"].d(torch.zeros(1), torch.zeros(1)))),
        ]
    )
)

# %% [markdown]
# ## Why logits
#
# At $a = 40$ the probability $\sigma(a)$ rounds to 1 in 32-bit numbers, and $\log(1 - D)$ is minus
# infinity. softplus keeps the exact value. That is why a discriminator for zerosum must not end in a
# Sigmoid: the loss contains it. If it does, zerosum refuses it before training.

# %%
b = torch.tensor(40.0, requires_grad=True)
loss = torch.nn.functional.softplus(b)
by_logit = torch.autograd.grad(loss, b)[0]
print(f"log(1 - sigmoid(40)) as written: {float(torch.log(1 - b.detach().sigmoid()))}; with softplus: {-float(loss.detach()):.1f}")
print(beside([("slope of -log(1 - D) at b = 40", 1.0, float(by_logit))]))

# %% [markdown]
# ## Try it
#
# `zerosum lab` draws $V$ while the game runs, with a line at $-\log 4$.
#
# ## Exercises
#
# **1.** $D$ answers 0.9 for every real sample and 0.2 for every generated one. What is $V$? What is it
# if $D$ answers 0.9 for both?
#
# <details><summary>Answer</summary>
#
# $\log 0.9 + \log 0.8 = -0.105 - 0.223 = -0.329$. For 0.9 and 0.9:
# $\log 0.9 + \log 0.1 = -0.105 - 2.303 = -2.408$. The mistake about generated samples is expensive.
#
# </details>
#
# **2.** Show that $V$ has no minimum over $G$ if $D$ is fixed and not constant. Where would $G$ move all
# its samples?
#
# <details><summary>Answer</summary>
#
# For a fixed $D$, the second term is smallest if every $G(z)$ is where $D$ is largest. If $D$ rises
# forever there is no such place. If there is one, $G$ maps all $z$ to it: mode collapse. So $G$ must
# not be trained to the end against a fixed $D$ (chapter 7).
#
# </details>
#
# **3.** Show that $\log(1 + e^{-a}) = -\log \sigma(a)$ and that its derivative by $a$ is $\sigma(a) - 1$.
#
# <details><summary>Answer</summary>
#
# $\sigma(a) = 1 / (1 + e^{-a})$, so $-\log \sigma(a) = \log(1 + e^{-a})$. Its derivative is
# $-e^{-a} / (1 + e^{-a}) = -(1 - \sigma(a))$. For a real sample the gradient is small where $D$ is
# already right.
#
# </details>
