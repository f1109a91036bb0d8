"""The default options of the teaching figures, in a file that loads no torch, since the help page shows them."""

from __future__ import annotations

from dataclasses import replace

from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.play.presets import PRESETS

# In one dimension: the game as published, without a penalty. D learns faster than G and sees waves of x at three scales, so that it stays
# near its optimum; both learning rates decay, so that the pair comes to rest.
LESSON = Config(
    game=GameOptions(value="minimax", penalty="none", k=4),
    prior=PriorOptions(kind="uniform", dim=1),
    net=NetOptions(kind="mlp", width=32, depth=2, activation="leaky_relu", activation_g="tanh", octaves=3),
    d=PlayerOptions(lr=4e-3, lr_end=1.5e-4),
    g=PlayerOptions(lr=1e-3, lr_end=2e-6),
    batch=512,
    average=0.0,
)

# In the plane: the preset for points, with a z that can be drawn.
PLANE_LESSON = replace(PRESETS["points"].config, prior=PriorOptions(kind="normal", dim=2), average=0.0)
