"""The default options of the teaching figures, in a file that loads no torch, since the help page shows them."""

from __future__ import annotations

from dataclasses import replace

from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.play.presets import PRESETS

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

# In the plane: the preset for points, with a z that can be drawn.
PLANE_LESSON = replace(PRESETS["points"].config, prior=PriorOptions(kind="normal", dim=2), average=0.0)
