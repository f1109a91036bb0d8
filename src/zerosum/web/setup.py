"""A game of the lab as plain values: data, options, how it begins. The page's URL, the command line and Python are written from it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from zerosum.api.training import with_options
from zerosum.data.options import DataOptions
from zerosum.data.source import Data, open_data
from zerosum.errors import Refusal
from zerosum.options import options_of, value_of
from zerosum.play.config import Config
from zerosum.play.presets import default_preset, named, with_net
from zerosum.study.lesson_config import LESSON, PLANE_LESSON

SIZES = {"net.width": 512, "net.depth": 8, "net.depth_g": 8, "batch": 4096, "game.k": 100, "game.g_steps": 100, "prior.dim": 256}
"""The most that the page takes of an option that costs time or memory."""
STEPS, MOST_STEPS = 1000, 1_000_000
MOST_FEW, FARTHEST, MOST_AHEAD = 10_000, 20.0, 5_000
_FIXED = ("device", "engine", "precision", "threads", "data.size", "data.limit", "data.flip")


@dataclass(frozen=True)
class Setup:
    """What decides a game, to the bit.

    data: as for `zerosum train`. options: what differs from the lab's own options for these data, by dotted name. steps: where the
    schedules of learning rates and penalty end. few: real samples are so many stored points, drawn once; 0: always new ones.
    blind: D sees the first coordinate alone. far: G begins so many standard deviations off the data. ahead: updates of D before G moves.
    """

    data: str = "ring8"
    options: tuple[tuple[str, Any], ...] = ()
    steps: int = STEPS
    few: int = 0
    blind: bool = False
    far: float = 0.0
    ahead: int = 0

    @property
    def config(self) -> Config:
        """All options. Raises Refusal for a wrong name or value."""
        return with_options(lab_config(self.data), dict(self.options))

    @property
    def plain(self) -> bool:
        """Whether `zerosum train` can play it: the scenarios' special beginnings are the lab's own."""
        return not (self.few or self.blind or self.far or self.ahead)

    def to_json(self) -> dict[str, Any]:
        """Plain values: `from_json` reads them. What is at its default is left out."""
        default = Setup()
        found = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(default, f.name)}
        return {**found, **({"options": dict(self.options)} if self.options else {})}

    def with_config(self, config: Config) -> Setup:
        """The same game with other options."""
        return replace(self, options=differing(lab_config(self.data), config))


def from_json(values: Any) -> Setup:
    """The setup that `to_json` wrote, or that a page sent. Raises Refusal for whatever it may not contain."""
    if not isinstance(values, Mapping):
        raise Refusal("A setup must be a table of values.")
    known = {f.name for f in fields(Setup)}
    if strange := [str(name) for name in values if name not in known]:
        raise Refusal(f"A setup has no {strange[0]!r}: it has {', '.join(sorted(known))}.")
    data = values.get("data", "ring8")
    if not isinstance(data, str) or len(data) > 20_000:
        raise Refusal("The data of a setup must be a name.")
    numbers = {
        "steps": _whole(values.get("steps", STEPS), "steps", 1, MOST_STEPS),
        "few": _whole(values.get("few", 0), "few", 0, MOST_FEW),
        "ahead": _whole(values.get("ahead", 0), "ahead", 0, MOST_AHEAD),
    }
    far, blind, options = values.get("far", 0.0), values.get("blind", False), values.get("options", {})
    if isinstance(far, bool) or not isinstance(far, int | float) or not abs(far) <= FARTHEST:
        raise Refusal(f"far must be a number from -{FARTHEST:g} to {FARTHEST:g}.")
    if not isinstance(blind, bool) or not isinstance(options, Mapping):
        raise Refusal("blind must be true or false, and options a table.")
    setup = Setup(data, (), blind=blind, far=float(far), **numbers)
    return checked(setup.with_config(with_options(lab_config(data), options)))


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refusal(f"{name} must be a whole number from {least} to {most:,}.")
    return value


def checked(setup: Setup) -> Setup:
    """The setup, if the page can play it. Raises Refusal."""
    config, data = setup.config, data_of(setup.data)
    for name, most in SIZES.items():
        if value_of(config, name) > most:
            raise Refusal(f"--{name.replace('_', '-')} may be at most {most} on the page; zerosum train takes more.")
    for name in _FIXED:
        if value_of(config, name) != value_of(lab_config(setup.data), name):
            raise Refusal(f"--{name} cannot be set on the page: use zerosum train.")
    if (setup.few or setup.blind or setup.far) and data.density is None:
        raise Refusal("few, blind and far need a known density, such as ring8.")
    if setup.blind and data.space.shape[0] < 2:
        raise Refusal("A blind D needs data of two coordinates, such as ring8.")
    return setup


@lru_cache(8)
def data_of(spec: str) -> Data:
    """The data of this name. Only names, mixtures and drawings: a page may not open files. Raises Refusal."""
    from zerosum.data.density import DENSITIES
    from zerosum.data.source import DATA
    from zerosum.data.written import DRAWN, MIXTURE

    if spec not in DATA and not spec.startswith((MIXTURE, DRAWN)):
        raise Refusal(f"The lab plays with {', '.join(DENSITIES)}, mnist, fashion-mnist, a mixture or a drawing, not with {spec[:80]!r}.")
    return open_data(spec, DataOptions())


@lru_cache(64)
def lab_config(spec: str) -> Config:
    """The lab's own options for these data: small networks that play fast, and a z that can be drawn."""
    data = data_of(spec)
    if len(data.space.shape) > 1:
        preset = named(default_preset(data.space.kind, data.space.shape)).config
        net = replace(preset.net, width=16, hidden=64, classes="auto")
        return replace(preset, net=net, device="cpu", precision="float32", engine="eager", threads=1)
    if data.space.shape[0] == 1:
        return replace(LESSON, device="cpu")
    net = replace(PLANE_LESSON.net, width=48)
    return replace(PLANE_LESSON, net=net, device="cpu")


def differing(base: Config, config: Config) -> tuple[tuple[str, Any], ...]:
    """The options in which a config differs from another, by dotted name. net.kind is first, since it resets the others of the network."""
    names = sorted(options_of(Config), key=lambda name: name != "net.kind")
    if config.net.kind != base.net.kind:
        base = with_net(base, config.net.kind)
        found = [("net.kind", config.net.kind)]
    else:
        found = []
    found += [(name, value_of(config, name)) for name in names if value_of(config, name) != value_of(base, name)]
    return tuple(found)


def _preset(setup: Setup) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """The preset that suits the data, and the options in which the setup differs from it."""
    space = data_of(setup.data).space
    name = default_preset(space.kind, space.shape)
    return name, differing(named(name).config, setup.config)


def samples(setup: Setup) -> int:
    """Real samples that D sees until the schedules end."""
    return setup.steps * setup.config.game.k * setup.config.batch


def command_line(setup: Setup) -> str:
    """`zerosum train ...`: the same run, bit for bit, up to the end of the schedules. Raises Refusal where the game is the lab's own."""
    if not setup.plain:
        raise Refusal("This game begins in a way that only the lab has: copy it as Python.")
    name, options = _preset(setup)
    words = ["zerosum", "train", setup.data, "--samples", str(samples(setup)), "--preset", name]
    for option, value in options:
        flag = option.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", "none" if value is None else str(value)]
    return shlex.join(words)


def python(setup: Setup) -> str:
    """The same run in Python."""
    name, options = _preset(setup)
    keywords = [f"samples={samples(setup)}", f"preset={name!r}", *(f"{key.replace('.', '_')}={value!r}" for key, value in options)]
    return f"import zerosum as zs\n\nrun = zs.train({setup.data!r}, {', '.join(keywords)})\n"
