# ruff: noqa: E402
# %% [markdown]
# # 6. The optimal discriminator and the theorem
#
# This chapter derives the two results of Goodfellow et al. 2014, section 4.1, and measures each line.
#
# ## Step 1: V as one integral
#
# Let $G$ be fixed. The mean over $z$ of a function of $G(z)$ is a mean over $x \sim p_g$: that is what
# $p_g$ means. So
#
# $$V(D, G) = \int p_{data}(x) \log D(x) + p_g(x) \log(1 - D(x)) \, dx$$
#
# ## Step 2: the best D at one x
#
# $D$ may be any function, so we can choose $D(x)$ for each $x$ separately. Write $p$ for $p_{data}(x)$, $q$
# for $p_g(x)$ and $y$ for $D(x)$. The function $p \log y + q \log(1 - y)$ has the derivative
# $\frac{p}{y} - \frac{q}{1 - y}$. It is zero where $p (1 - y) = q y$, that is, at $y = \frac{p}{p + q}$. The
# second derivative, $-\frac{p}{y^2} - \frac{q}{(1 - y)^2}$, is negative, so this is the maximum
# (Proposition 1):
#
# $$D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}$$
#
# Where only real samples are, $D^* = 1$; where only generated ones are, $D^* = 0$; where both densities
# are equal, $D^* = 1/2$. The logit of $D^*$ is $\log p_{data} - \log p_g$: an optimal $D$ knows the
# ratio of the densities, which is why $G$ can learn from it.
#
# ```python
# # src/zerosum/theory/pair.py
#         return self.P / (self.P + self.Q)
# ```
#
# The next cell starts with $D = 1/2$ everywhere and climbs $V$ by gradient steps: first without a network,
# then with one that learns from samples.

# %%
import torch

from zerosum.data.density import gaussian, mixture
from zerosum.game.value import VALUES
from zerosum.report.course import Picture, beside
from zerosum.report.panels import draw_panels
from zerosum.study.proofs_trained import trained_discriminator
from zerosum.theory.optimum import LOG4, free_discriminator, jsd, v_star
from zerosum.theory.pair import line

rows = []
for name, p_g in {"N(1,1)": mixture([1.0], [1.0], [1.0]), "N(0,1)": gaussian()}.items():
    pair = line(gaussian(), p_g, nodes=2)
    D = torch.sigmoid(free_discriminator(VALUES["minimax"], pair))
    rows.append((f"p_data N(0,1), p_g {name}: largest |D - D*|", 0.0, float((D - pair.d_star).abs().max())))
print(beside(rows + [(r.name, r.proved, r.measured) for r in trained_discriminator(steps=600)]))

# %% [markdown]
# A network's $V$ comes close to $V(D^*, G)$ and never exceeds it.
#
# ## Step 3: insert D*
#
# Let $M = (p_{data} + p_g) / 2$. Then $D^* = \frac{p_{data}}{2 M}$, so $\log D^* = \log \frac{p_{data}}{M} - \log 2$,
# and likewise $\log(1 - D^*) = \log \frac{p_g}{M} - \log 2$. Take the expectation of the first under
# $p_{data}$ and of the second under $p_g$, and add them:
#
# $$V(D^*, G) = -\log 4 + KL(p_{data} \| M) + KL(p_g \| M)$$
#
# ## Step 4: the Jensen-Shannon divergence
#
# The two divergences are twice the JSD of chapter 1 (Theorem 1):
#
# $$\max_D V(D, G) = -\log 4 + 2 \, JSD(p_{data}, p_g)$$
#
# ```python
# # src/zerosum/theory/optimum.py
#     M = (pair.P + pair.Q) / 2
#     return float((xlogy(pair.P, pair.P) / 2 + xlogy(pair.Q, pair.Q) / 2 - xlogy(M, M)).sum())
# ```

# %%
from zerosum.theory.proofs_value import five_pairs

rows = []
for name, (p, q, _) in five_pairs().items():
    pair = line(p, q)
    rows.append((f"V(D*, G), {name}", -LOG4 + 2 * jsd(pair), v_star(pair)))
print(beside(rows))

# %% [markdown]
# ## Step 5: the minimum
#
# The JSD is never negative, and 0 only if $p_g = p_{data}$. So the smallest value that $G$ can reach is
# $-\log 4 = -1.3863$, exactly when $p_g = p_{data}$. There $D^* = \frac{p}{p + p} = \frac{1}{2}$ everywhere:
# the best discriminator can only guess. That is the one equilibrium of the game, if $G$ can make every
# distribution.
#
# At the other end, densities that do not overlap have $JSD = \log 2$ and $V(D^*, G) = 0$, however far
# apart they are. The divergence then has no slope, and $G$ nothing to follow. Chapter 7 returns to it.
#
# The figure moves $p_g = N(s, 1)$ across $p_{data} = N(0, 1)$.

# %%
shifts = torch.linspace(-4, 4, 33)
pairs = [line(gaussian(), mixture([1.0], [float(s)], [1.0])) for s in shifts]
best = [v_star(pair) for pair in pairs]
theorem = [-LOG4 + 2 * jsd(pair) for pair in pairs]
axis = torch.linspace(-5, 6, 300, dtype=torch.float64)
p = gaussian().log_prob(axis).exp()
stars = {}
for s in (0.0, 0.5, 1.0, 3.0):
    q = mixture([1.0], [s], [1.0]).log_prob(axis).exp()
    stars[f"p_g = N({s:g}, 1)"] = (axis.numpy(), (p / (p + q)).round(decimals=4).numpy())
print(
    beside([("V(D*, G) at p_g = p_data", -LOG4, best[16]), ("largest |D* - 1/2| there", 0.0, float((pairs[16].d_star - 0.5).abs().max()))])
)
Picture(
    draw_panels(
        {
            "D*(x) as p_g comes closer / x": stars,
            "V(D*, G), nats / shift s of p_g": {
                "measured: the value function at D*": (shifts.numpy(), best),
                "proved: -log 4 + 2 JSD": (shifts.numpy(), theorem),
                "-log 4": (shifts.numpy()[[0, -1]], [-LOG4, -LOG4]),
            },
        }
    ),
    "Left: D* flattens to 1/2 as p_g approaches p_data. Right: its V falls to -log 4.",
)

# %% [markdown]
# ## A bound for every D
#
# For any $D$, $V(D, G) \le V(D^*, G)$, so $JSD \ge \frac{1}{2} (V(D, G) + \log 4)$. A trained discriminator
# measures a lower bound on the divergence, even for images, where no density is known. zerosum's
# measure `jsd` does this with a new classifier and held-out samples
# ([measures.md](../measures.md)).
#
# ## Try it
#
# `zerosum prove` checks every statement of this chapter, with tolerances; `--quick` takes half a minute.
# `zerosum lab` shows $D$ and $D^*$ side by side while both densities move.
#
# ## Exercises
#
# **1.** $p_{data}$ is uniform on $[0, 1]$ and $p_g$ uniform on $[0, 2]$. Draw $D^*$, and compute
# $V(D^*, G)$.
#
# <details><summary>Answer</summary>
#
# On $[0, 1]$, $D^* = 1 / (1 + 1/2) = 2/3$; on $[1, 2]$, $D^* = 0$.
# $V = \log \frac{2}{3} + \frac{1}{2} \log \frac{1}{3} + \frac{1}{2} \log 1 = -0.955$. With the JSD of chapter 1,
# exercise 2: $-1.386 + 2 \cdot 0.216 = -0.955$.
#
# </details>
#
# **2.** Suppose real samples have the label $1 - s$ instead of 1 (one-sided label smoothing). What is $D^*$?
#
# <details><summary>Answer</summary>
#
# Maximise $(1 - s) p \log y + (s p + q) \log(1 - y)$: $y = (1 - s) p / (p + q)$, which is $1 - s$ times the
# old $D^*$. At $p_g = p_{data}$ it is $(1 - s) / 2$.
#
# </details>
#
# **3.** Show that $JSD \le \log 2$.
#
# <details><summary>Answer</summary>
#
# $M \ge p / 2$, so $\log \frac{p}{M} \le \log 2$ and $KL(p \| M) \le \log 2$; the same holds for $q$. Equality
# needs $M = p / 2$ wherever $p > 0$: the densities do not overlap.
#
# </details>
