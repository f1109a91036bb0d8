"""`zerosum lab officer`: digits in two inks, against a D that is colour-blind, and against one that is not.

An example that students meet in words: counterfeiters whose notes only a colour-blind officer checks. Here it is played. Against a D that
sees brightness alone, G learns shapes, and its colours are arbitrary. V is no higher than against a D that sees them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from zerosum.chance import generator, key, uniform
from zerosum.data.items import Progress
from zerosum.data.mnist import digits
from zerosum.data.source import open_data
from zerosum.game.value import VALUES
from zerosum.nets.mlp import Discriminator, Generator
from zerosum.play.config import Config, GameOptions, NetOptions, PlayerOptions, PriorOptions
from zerosum.study.data_game import DataGame
from zerosum.study.scenario_result import ScenarioResult, curve
from zerosum.theory.optimum import LOG4

Array = NDArray[Any]

# Two inks of equal luminance: a D that sees brightness alone cannot tell them apart.
INKS = ((1.0, 0.45, 0.1), (0.3, 0.632, 1.0))
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
DIGITS = 12_000
DEFAULT_STEPS = 2000
CHECKS = 8
PICTURED = 40
BINS = 10  # of a colour's histogram
SIDE = 14  # pixels
CASES = {"colour-blind": 0.0, "sees colours": 1.0}
OFFICER = Config(
    game=GameOptions(value="non_saturating", penalty="none"),
    prior=PriorOptions(kind="normal", dim=32),
    net=NetOptions(kind="mlp", width=256, depth=2, norm="batch"),
    d=PlayerOptions(lr=5e-4, beta1=0.5, beta2=0.999),
    g=PlayerOptions(lr=5e-4, beta1=0.5, beta2=0.999),
    batch=64,
    average=10_000.0,
    precision="float32",
    device="cpu",
)
DROPOUT = 0.3  # in D, as in the listing of chapter 5


class Officer(nn.Module):
    """D with a switch: x (N, 3, H, W) -> D(x), or D of x without its colours. sees: a number, 0 or 1."""

    sees: Tensor
    luminance: Tensor

    def __init__(self, D: nn.Module) -> None:
        super().__init__()
        self.D = D
        self.register_buffer("sees", torch.zeros(()))
        self.register_buffer("luminance", torch.tensor(LUMINANCE)[None, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        grey = (x * self.luminance).sum(1, keepdim=True).expand_as(x)
        a: Tensor = self.D(grey + self.sees * (x - grey))
        return a


def small_digits(n: int | None = None) -> Tensor:
    """The first n digits of the training part, or all of them, at SIDE x SIDE pixels: (n, SIDE, SIDE), from 0 to 1."""
    images = torch.from_numpy(digits("train")[0][:n].copy()).float()[:, None] / 255
    return avg_pool2d(images, 2)[:, 0]


def tinted(n: int = DIGITS, seed: int = 0) -> Array:
    """n digits at SIDE x SIDE pixels, each in one of the two inks by a fair coin: uint8, (n, SIDE, SIDE, 3)."""
    small, inks = small_digits(n), torch.tensor(INKS)
    coin = (uniform((len(small), 1), seed, "study/officer inks", 0)[:, 0] < 0.5).long()
    return (255 * small[..., None] * inks[coin][:, None, None]).round().byte().numpy()


def colour(images: Array) -> Array:
    """Each image's colour, (N,): (red - blue) / (red + blue) of its ink, from -1 (blue) to 1 (red). Bright pixels count most."""
    x = images.astype(np.float64)
    total = (x * x.sum(3, keepdims=True) ** 2).sum((1, 2))
    found: Array = (total[:, 0] - total[:, 2]) / np.maximum(total[:, 0] + total[:, 2], 1e-9)
    return found


def colour_jsd(images: Array, real: Array) -> float:
    """JSD, nats, of the colours of two sets of images, as histograms of BINS bins."""
    p, q = (np.histogram(colour(x), BINS, (-1, 1))[0] / len(x) for x in (images, real))
    m = (p + q) / 2

    def entropy(h: Array) -> float:
        return float(-(h[h > 0] * np.log(h[h > 0])).sum())

    return entropy(m) - (entropy(p) + entropy(q)) / 2


class ImageGame(DataGame):
    """Two MLPs on the tinted digits."""

    def __init__(self, real: Array, seed: int, steps: int, sees: float = 0.0) -> None:
        config = replace(OFFICER, seed=seed)
        shape, net = (3, SIDE, SIDE), config.net
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(seed, "weights"))
            options: Any = {"width": net.width, "depth": net.depth, "activation": "leaky_relu", "slope": 0.2}
            G = Generator(shape, config.prior.dim, norm="batch", **options)
            self.officer = Officer(Discriminator(shape, dropout=DROPOUT, **options))
        self.officer.sees.fill_(sees)
        self.real = real
        super().__init__(open_data(real), config, steps, (G, self.officer))

    @torch.no_grad()
    def samples(self, n: int) -> Array:
        """n images of the averaged G, uint8, (n, SIDE, SIDE, 3)."""
        z = self.noise(n, "study/officer samples")
        return self.space.to_array(self.space.decode(self.players.ema.module.eval()(z)))

    @torch.no_grad()
    def v(self, n: int = 2000) -> float:
        """V(D, G) in nats, of n real and n generated images, without dropout."""
        chosen = torch.randperm(len(self.real), generator=generator(self.config.seed, "study/officer reals"))[:n].numpy()
        x = self.space.encode(self.space.from_array(self.real[chosen]))
        z = self.noise(n, "study/officer v")
        self.players.D.eval()
        found = -float(VALUES["minimax"].d(self.players.D(x), self.players.D(self.players.G(z))).mean())
        self.players.D.train()
        return found


def officer(seeds: int, steps: int | None, progress: Progress) -> ScenarioResult:
    """For each seed: the same two networks play with a colour-blind D, and with one that sees."""
    total = steps or DEFAULT_STEPS
    rows: list[dict[str, Any]] = []
    pictures: dict[str, Array] = {}
    values: dict[str, Any] = {"-log 4": curve([(0.0, -LOG4), (float(total), -LOG4)])}
    colours: dict[str, Any] = {}
    for seed in range(seeds):
        real = tinted(seed=seed)
        half = len(real) // 2
        pictures.setdefault("real samples", real[:PICTURED])
        for case, sees in CASES.items():
            game = ImageGame(real, seed, total, sees)
            v, apart = [], []
            for i in range(CHECKS + 1):
                game.play(total * i // CHECKS - game.t)
                progress(f"D {case}, steps", game.t, total)
                v.append((float(game.t), game.v()))
                apart.append((float(game.t), colour_jsd(game.samples(1000), real)))
            values.setdefault(f"D {case}", curve(v))
            colours.setdefault(f"D {case}", curve(apart))
            pictures.setdefault(f"against a D that {'is ' if not sees else ''}{case}", game.samples(PICTURED))
            reference = colour_jsd(real[:half][:1000], real[half:])
            rows.append({"seed": seed, "D": case, "V": v[-1][1], "JSD of the colours": apart[-1][1], "as good as real": reference})
    return ScenarioResult(
        rows,
        {"V(D, G), nats / steps": values, "JSD of the colours, nats / steps": colours},
        "A colour-blind D gives G no gradient about colours: they are arbitrary, although V looks no worse than in the other game. "
        "Against the same D with colours, G learns the two inks. A generator is only as good as its D can see.",
        pictures=pictures,
    )
