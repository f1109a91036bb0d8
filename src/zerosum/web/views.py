"""What the page draws of a pair (G, D), as numbers and arrays: on a line, in the plane, or for images.

On a line p_g, D*, V and the JSD are exact, by change of variables. In the plane p_g is a kernel estimate from SAMPLES samples, and the
frame says so. The draws are the same in every frame, so what moves on the page is G and not the noise.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.chance import generator
from zerosum.errors import Refusal
from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES, Value
from zerosum.measure.modes import census
from zerosum.monitor.diagnostics import modes_of
from zerosum.study.lesson import shown
from zerosum.theory.optimum import jsd, logits_of, v, v_star
from zerosum.theory.pair import Pair, Plane, line, plane
from zerosum.theory.pushforward import PriorName, pushforward
from zerosum.web.frames import bytes_of
from zerosum.web.machine import Machine
from zerosum.web.pictures import COLUMNS, ROWS, opinions, tiles
from zerosum.web.setup import Setup, data_of

SAMPLES, SHOWN, ARROWS = 2000, 1000, 120
GRID = 400  # points of a line
CELLS, FIELD = 160, 80  # cells an axis of the plane: of the estimate, and of the fields that are drawn
LATTICE, ALONG = 17, 40  # lines of the grid of z in each direction, and points of each
View = tuple[dict[str, Any], dict[str, NDArray[Any]]]
_KNOWN = ("minimax", "non_saturating", "least_squares", "relativistic")  # games whose optimal D is D*, up to a constant


def noise(machine: Machine, n: int, purpose: str = "lab/z") -> Tensor:
    """The noise of the page's samples, (n, dim): the same in every frame."""
    prior = machine.config.prior
    return PRIORS[prior.kind]((n, prior.dim), machine.config.seed, purpose, 0)


class Scene:
    """What does not change while a game is played: p_data, real samples, and the window."""

    def __init__(self, setup: Setup) -> None:
        self.data = data_of(setup.data)
        self.modes = modes_of(self.data.density)
        self.plane: Plane | None = None
        self.floor = 0.0
        self.x = torch.zeros(0)
        density = self.data.density
        if density is not None:
            self.reals = density.sample(SAMPLES, generator(setup.config.seed, "lab/reals"))
            low, high = density.support
            if density.dim == 2:
                self.plane = plane(density, SAMPLES, cells=CELLS)
                self.floor = jsd(self.plane.pair(self.reals))
            else:
                margin = 0.1 * (high - low)
                self.x = torch.linspace(float(low - margin), float(high + margin), GRID, dtype=torch.float64)

    def view(self) -> View:
        """The scene as numbers and arrays."""
        density = self.data.density
        if density is None:
            return {"kind": "images", "classes": list(self.data.classes), "shape": list(self.data.space.shape)}, {}
        if self.plane is None:
            p = density.log_prob(self.x).exp()
            bounds = [float(self.x[0]), float(self.x[-1])]
            return {"kind": "line", "bounds": bounds}, {"x": _f(self.x), "p_data": _f(p), "reals": _f(self.reals[:SHOWN, 0])}
        low, high = self.plane.low, self.plane.low + CELLS * self.plane.step
        P = _coarse(self.plane.P)
        numbers = {
            "kind": "plane",
            "bounds": [float(low[0]), float(high[0]), float(low[1]), float(high[1])],
            "floor": self.floor,
            "bandwidth": self.plane.bandwidth,
            "samples": SAMPLES,
            "modes": None if self.modes is None else self.modes.centres.tolist(),
        }
        return numbers, {"p_data": bytes_of(np.sqrt(P / P.max())), "reals": _f(self.reals[:SHOWN])}


def view(machine: Machine, scene: Scene) -> View:
    """The pair (G, D) of the machine."""
    kind = "images" if scene.data.density is None else "line" if scene.plane is None else "plane"
    numbers, arrays = {"images": _images, "line": _line, "plane": _plane}[kind](machine, scene)
    return {"kind": kind, "t": machine.t, **numbers}, arrays


def _f(x: Tensor) -> NDArray[np.float32]:
    return x.detach().float().numpy()


def _coarse(mass: Tensor) -> NDArray[Any]:
    """Masses on the plane's cells, (K,), as means over the cells that are drawn: (FIELD, FIELD), rows by y."""
    by = CELLS // FIELD
    return mass.reshape(FIELD, by, FIELD, by).mean((1, 3)).T.numpy()


def _pull(machine: Machine, value: Value, at: Tensor) -> Tensor:
    """-d loss_G / d x at samples (n, d): the direction in which D's gradient moves them."""
    x = at.detach().clone().requires_grad_()
    b = machine.D(x)
    # A paired game compares with a real sample: its logit is a constant here, which changes no direction.
    (slope,) = torch.autograd.grad(value.g(b.detach().mean().expand_as(b), b).sum(), x)
    return -slope


@torch.no_grad()
def _probe(machine: Machine, z: Tensor, fake: Tensor, real: Tensor, centre: Tensor) -> dict[str, Any]:
    """One noise vector and one real sample on their way through the model."""
    value = VALUES[machine.config.game.value]
    both = shown(value, machine.D(torch.stack([fake[0], real[0]])).double(), centre.double())
    return {
        "probe": {
            "z": z[0, :2].tolist(),
            "G": fake[0].tolist(),
            "x": real[0].tolist(),
            "D_fake": float(both[0]),
            "D_real": float(both[1]),
        }
    }


def _line(machine: Machine, scene: Scene) -> View:
    config, density = machine.config, scene.data.density
    assert density is not None
    value, x = VALUES[config.game.value], scene.x
    exact = config.prior.dim == 1
    z = noise(machine, SAMPLES)
    with torch.no_grad():
        fake = machine.G(z)
    p_data = density.log_prob(x).exp()
    if exact:
        p_g = pushforward(machine.G, cast(PriorName, config.prior.kind), pieces=256, tolerance=1e-5, rounds=4)
        pair, q = line(density, p_g), p_g.density(x)
    else:
        width = 1.06 * float(fake.std()) * SAMPLES**-0.2 + 1e-6
        q = torch.exp(-(((x[:, None] - fake[:, 0].double()) / width) ** 2) / 2).mean(1) / (width * math.sqrt(2 * math.pi))
        mass = p_data / p_data.sum(), q / q.sum().clamp(min=1e-300)
        pair = Pair(x[:, None], *mass)
    a = logits_of(machine.D, pair)
    centre = ((pair.P + pair.Q) / 2) @ a
    with torch.no_grad():
        D = machine.D(x.float()[:, None]).double()
    reach = 1.0 if config.prior.kind == "uniform" else 2.5
    knots = torch.linspace(-reach, reach, LATTICE)
    arrays = {"p_g": _f(q), "D": _f(shown(value, D, centre)), "samples": _f(fake[:SHOWN, 0])}
    if exact:
        with torch.no_grad():
            Gz = machine.G(knots[:, None])
        arrays |= {"z": _f(knots), "Gz": _f(Gz[:, 0]), "pull": _f(_pull(machine, value, Gz)[:, 0])}
    if config.game.value in _KNOWN:
        arrays["D_star"] = _f(p_data / (p_data + q))
    numbers = {
        "exact": exact,
        "jsd": jsd(pair),
        "V": v(pair, a) if value.probability else math.nan,
        "V_star": v_star(pair) if value.probability else math.nan,
        **_probe(machine, z, fake, scene.reals, centre),
    }
    return numbers, arrays


def _plane(machine: Machine, scene: Scene) -> View:
    config, grid = machine.config, scene.plane
    assert grid is not None
    value = VALUES[config.game.value]
    z = noise(machine, SAMPLES)
    with torch.no_grad():
        fake = machine.G(z)
        if not bool(torch.isfinite(fake).all()):
            raise Refusal("G's samples are not finite.")
        a, b = machine.D(scene.reals), machine.D(fake)
        centre = (a.mean() + b.mean()) / 2
        D = shown(value, machine.D(_centres(grid)), centre).reshape(FIELD, FIELD)
    pair = grid.pair(fake)
    P, Q = _coarse(pair.P), _coarse(pair.Q)
    arrays: dict[str, NDArray[Any]] = {
        "samples": _f(fake[:SHOWN]),
        "D": bytes_of(D.numpy()),
        "p_g": bytes_of(np.sqrt(Q / max(Q.max(), 1e-300))),
        "pull": _f(_pull(machine, value, fake[:ARROWS])),
    }
    if config.game.value in _KNOWN:
        seen = P + Q
        arrays["D_star"] = bytes_of(np.where(seen > 1e-4 * seen.max(), P / np.maximum(seen, 1e-300), math.nan))
    if config.prior.dim <= 2:
        arrays["lattice"] = _lattice(machine)
    numbers: dict[str, Any] = {
        "jsd": jsd(pair),
        "V": -float(VALUES["minimax"].d(a, b).mean()) if value.probability else math.nan,
        "V_star": v_star(pair) if value.probability else math.nan,
        **_probe(machine, z, fake, scene.reals, centre),
        **_modes(scene, fake),
    }
    return numbers, arrays


def _centres(grid: Plane) -> Tensor:
    """The middles of the cells that are drawn, (FIELD^2, 2), rows by y."""
    step = grid.step * (CELLS // FIELD)
    x, y = (grid.low[i] + step[i] * (torch.arange(FIELD) + 0.5) for i in range(2))
    return torch.stack([x.repeat(FIELD), y.repeat_interleave(FIELD)], 1).float()


@torch.no_grad()
def _lattice(machine: Machine) -> NDArray[np.float32]:
    """Images under G of straight lines of z: (lines, ALONG, 2). A prior of one dimension has one line."""
    reach = 1.0 if machine.config.prior.kind == "uniform" else 2.0
    along = torch.linspace(-reach, reach, ALONG)
    if machine.config.prior.dim == 1:
        return _f(machine.G(along[:, None]))[None]
    level = torch.linspace(-reach, reach, LATTICE)
    across = torch.stack([level[:, None].expand(-1, ALONG), along.expand(LATTICE, -1)], 2)
    lines = torch.cat([across, across.flip(2)])
    return _f(machine.G(lines.flatten(0, 1))).reshape(2 * LATTICE, ALONG, 2)


def _modes(scene: Scene, fake: Tensor) -> dict[str, Any]:
    if scene.modes is None:
        return {}
    found, centres = census(fake, scene.modes), scene.modes.centres
    between = torch.cdist(centres, centres).fill_diagonal_(math.inf).amin(1)
    near = torch.cdist(fake.double(), centres) <= torch.maximum(between / 4, 3 * scene.modes.std)
    # A stray sample is not a mode that G has learned: a mode needs a twentieth of its share.
    reached = near.sum(0) >= 0.05 * len(fake) / len(centres)
    return {"modes": int(reached.sum()), "modes_of": len(centres), "high_quality": float(found.counts.sum()) / found.n}


@torch.no_grad()
def _images(machine: Machine, scene: Scene) -> View:
    """Ten rows of eight samples, a class a row where G takes classes, with D's opinion of each."""
    images, y = tiles(machine)
    arrays: dict[str, NDArray[Any]] = {"tiles": images.numpy(), "opinion": bytes_of(opinions(machine, images, y))}
    return {"classes": y is not None, "rows": ROWS, "columns": COLUMNS}, arrays
