"""What the teaching figures play unless told otherwise; apart, so that the help page need not load torch."""

from __future__ import annotations

from zerosum.run.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions

# In one dimension.
LESSON = Config(
    game=GameOptions(value="minimax", penalty="r1", gamma=0.05, k=2),
    prior=PriorOptions(kind="uniform", dim=1),
    net=NetOptions(kind="mlp", width=64, depth=2, activation="tanh"),
    d=PlayerOptions(lr=2e-3, lr_end=1e-4),
    g=PlayerOptions(lr=1e-3, lr_end=1e-5),
    batch=256,
    average=0.0,
)

# In the plane.
PLANE_LESSON = Config(
    game=GameOptions(value="non_saturating", penalty="r1", gamma=0.02),
    prior=PriorOptions(kind="normal", dim=2),
    net=NetOptions(kind="mlp", width=64, depth=3, activation="leaky_relu"),
    d=PlayerOptions(lr=2e-3, lr_end=1e-4),
    g=PlayerOptions(lr=1e-3, lr_end=1e-5),
    batch=256,
    average=0.0,
)
