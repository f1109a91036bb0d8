"""zerosum lab: the teaching figure from a real training, and scenarios of training that fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from zerosum.commands.flags import flat, parse_given, positional
from zerosum.commands.terminal import tell
from zerosum.errors import Refusal, nearest
from zerosum.play.config import Config
from zerosum.report.text_table import paragraph, text_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zerosum.data.density import Density
    from zerosum.report.progress import CountProgress
    from zerosum.study.lesson import Lesson

EXAMPLES = """\
  zerosum lab                          the page
  zerosum lab --figure lesson.png
  zerosum lab --figure lesson.svg --panels
  zerosum lab --figure lesson.gif --data bimodal --game.value non_saturating
  zerosum lab --figure plane.png --data ring8
  zerosum lab vanishing
"""
_GIF_SECONDS = 8.0
T = TypeVar("T")
# The keys of the JSON, as headings of the table.
PANELS = {"a": "(a) D partly right", "b": "(b) D trained to D*", "c": "(c) after a step of G", "d": "(d) the end"}
HEADINGS = {
    "rounds": "steps",
    "jsd": "JSD, nats (0 is best)",
    "V": "V(D, G), nats (-1.386 at p_g = p_data)",
    "off": "mean |D - 1/2| (0 at the equilibrium)",
    "half": "p_data's mass where |D - 1/2| <= 0.03 (1 at the equilibrium)",
    "converged": "p_g = p_data and D = 1/2",
    "floor": "reference score: JSD of real samples, nats",
}
# Likewise those of the scenarios' rows.
ROW_HEADINGS = {
    "trouble": "problem",
    "V": "V(D, G), nats",
    "V of D*": "V(D*, G), nats",
    "JSD": "JSD, nats (0 is best)",
    "as good as real": "reference score: JSD of real samples, nats",
    "modes of 8": "modes reached, of 8",
    "high quality": "share of high quality (1 is best)",
}


@dataclass(frozen=True)
class Lab:
    """Without arguments: a page on which you play with a GAN in a browser. With a scenario: play a training that fails, and the change that
    fixes it. Else: train a small GAN on a known density and draw p_data, p_g, D and the theory's values along the way."""

    scenario: Literal["helvetica", "officer", "vanishing", "drawbacks", "remedies"] | None = positional("SCENARIO", optional=True)
    """helvetica (mode collapse, two causes), officer (a colour-blind D and tinted digits), vanishing (vanishing gradients), drawbacks
    (four problems and their fixes), or remedies (what each later technique is good for). Without one, the teaching figure."""
    figure: Path | None = None
    """Path of the figure: .png, .svg, .pdf, or .gif for an animation; by default runs/lab-NAME.png."""
    panels: bool = False
    """The four panels of the teaching figure alone, without the curves below; each one also as SVG and PDF, for slides."""
    data: str = "gaussian"
    """A known density: gaussian, bimodal, uniform, "mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)", or a 2-D one such as ring8."""
    rounds: int | None = None
    """Training steps; by default as many as the figure or scenario needs."""
    seeds: int | None = None
    """Seeds that a scenario is repeated with; by default 5 for helvetica, 3 for remedies, 1 for officer and 2 for the others."""
    json: bool = False
    """Print one JSON object and nothing else."""
    port: int | None = None
    """The page's port. Default: the first free one from 8765 on."""
    host: str = "127.0.0.1"
    """The page's address. Any other than 127.0.0.1 needs the token that is printed."""
    no_browser: bool = False
    """Do not open a browser for the page."""
    config: Config = flat(Config)


# With nothing else on the command line, the page is started.
_PAGE = {"port", "host", "no_browser"}


def defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """The default options of the figure in one dimension or in two."""
    from zerosum.study.lesson_config import LESSON, PLANE_LESSON

    spec = given.get("data")
    if spec is None:
        return {"config": LESSON}
    from zerosum.data.density import DENSITIES

    return {"config": PLANE_LESSON if spec in DENSITIES and DENSITIES[spec]().dim == 2 else LESSON}


def main(argv: Sequence[str]) -> int:
    args, given = parse_given(Lab, argv, prog="zerosum lab", examples=EXAMPLES, preset=defaults)
    if given.keys() <= _PAGE:
        from zerosum.commands import lab_page

        return lab_page.main(host=args.host, port=args.port, browser=not args.no_browser)
    if args.rounds is not None and args.rounds < 1:
        raise Refusal(f"--rounds must be at least 1, not {args.rounds}.")
    if args.seeds is not None and args.seeds < 1:
        raise Refusal(f"--seeds must be at least 1, not {args.seeds}.")
    suffix = args.figure.suffix.lower() if args.figure else ".png"
    if suffix not in (".png", ".svg", ".pdf", ".gif"):
        raise Refusal(f"--figure {args.figure} must end in .png, .svg or .pdf, or in .gif for an animation.")
    if args.scenario:
        if args.panels:
            raise Refusal(f"--panels is for the teaching figure, and {args.scenario} is a scenario: leave it out.")
        return _scenario(args, suffix)
    p_data = density(args.data)
    if args.panels and (p_data.dim != 1 or suffix == ".gif"):
        raise Refusal(
            "--panels draws four panels of a 1-D density as .png, .svg or .pdf: give gaussian, bimodal or a mixture, and no .gif."
        )
    where = args.figure or Path("runs") / f"lab-{args.data.split(':')[0]}.png"
    return _line(args, p_data, where) if p_data.dim == 1 else _plane(args, p_data, where)


def density(spec: str) -> Density:
    """The known density of this name or mixture. Raises Refusal for another."""
    from zerosum.data.density import DENSITIES
    from zerosum.data.written import MIXTURE, parse_mixture

    if spec in DENSITIES:
        return DENSITIES[spec]()
    if spec.startswith(MIXTURE):
        return parse_mixture(spec.removeprefix(MIXTURE))
    close = nearest(spec, DENSITIES) or f" Give {', '.join(DENSITIES)}, or a mixture such as mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)."
    raise Refusal(f"The lab needs a known density, and {spec!r} is not one.{close}")


def _line(args: Lab, p_data: Density, where: Path) -> int:
    from zerosum.report.progress import CountProgress
    from zerosum.report.style import png
    from zerosum.report.teaching import draw_frame, draw_lesson, draw_panel, draw_row
    from zerosum.study.lesson import DEFAULT_STEPS, lesson

    reading = CountProgress()
    found = lesson(p_data, args.config, args.rounds or DEFAULT_STEPS, progress=reading)
    panels, captions, title = found.panels(), found.captions(), line_title(args.data, args.config, found.p_data)
    _drawn(
        where,
        lambda: draw_row(panels, captions, title) if args.panels else draw_lesson(panels, captions, found.course, title),
        lambda here: png(draw_frame(here, found.course, title), dpi=100),
        found.course,
        reading,
    )
    if args.panels:
        for i, letter in enumerate("abcd"):
            for kind in ("svg", "pdf"):
                _written(where.with_name(f"{where.stem}-{letter}.{kind}"), draw_panel(panels, captions, i))
    return _told(args, where, numbers(found))


def line_title(data: str, config: Config, p_data: Density) -> str:
    """The game that a figure shows: data, value function, penalty, prior and k."""
    low, high = (float(end) for end in p_data.support)
    game = {"minimax": "the minimax game of Goodfellow et al. 2014", "non_saturating": "the non-saturating game"}
    penalty = "no penalty" if config.game.penalty == "none" else f"penalty {config.game.penalty}"
    prior = "z ~ U(-1, 1)" if config.prior.kind == "uniform" else "z ~ N(0, 1)"
    name = game.get(config.game.value, f"the {config.game.value} game")
    cut = f" restricted to [{low:.3g}, {high:.3g}]" if p_data.modes is None and data != "uniform" else ""
    return f"{name[0].upper()}{name[1:]}: p_data {data}{cut}, {prior}, k = {config.game.k}, {penalty}"


def numbers(found: Lesson) -> dict[str, dict[str, float | int | bool | None]]:
    """The numbers of each panel: steps (key "rounds"), JSD, V, mean |D - 1/2|, p_data's mass near 1/2, and whether it converged."""
    panels = {"a": found.a, "b": found.b, "c": found.c, "d": found.d}
    return {
        name: {"rounds": m.t, "jsd": m.jsd, "V": m.v if m.v == m.v else None, "off": m.off, "half": m.half, "converged": m.converged}
        for name, m in panels.items()
    }


def _plane(args: Lab, p_data: Density, where: Path) -> int:
    from zerosum.report.progress import CountProgress
    from zerosum.report.style import png
    from zerosum.report.teaching_plane import draw_plane_frame, draw_plane_lesson
    from zerosum.study.lesson_plane import DEFAULT_STEPS, plane_lesson

    reading, title = CountProgress(), _title(args)
    course = plane_lesson(p_data, args.config, args.rounds or DEFAULT_STEPS, progress=reading)
    _drawn(
        where,
        lambda: draw_plane_lesson(course, title),
        lambda here: png(draw_plane_frame(here, title), dpi=80),
        course,
        reading,
    )
    last = course[-1]
    return _told(args, where, {"end": {"rounds": last.t, "jsd": last.jsd, "floor": last.floor}})


def _title(args: Lab) -> str:
    return f"{args.data}, {args.config.game.value} game, k = {args.config.game.k}"


def _drawn(where: Path, picture: Callable[[], Figure], frame: Callable[[T], bytes], course: Sequence[T], reading: CountProgress) -> None:
    """Write the picture or, for a .gif, a frame for each moment of the course."""
    from zerosum.plain_files import write_whole

    if where.suffix.lower() != ".gif":
        _written(where, picture())
        return
    pngs = []
    for i, here in enumerate(course):
        pngs.append(frame(here))
        reading("Drawing frames", i + 1, len(course))
    write_whole(where, animated(pngs))


def _written(where: Path, drawing: Figure) -> None:
    """Write a figure in the format that its name ends in."""
    from zerosum.plain_files import write_whole
    from zerosum.report.style import png, vector

    kind = where.suffix.lower().removeprefix(".")
    write_whole(where, png(drawing, dpi=150) if kind == "png" else vector(drawing, kind))


def animated(frames: Sequence[bytes]) -> bytes:
    """Combine PNGs into one looping GIF; the last frame is shown longest."""
    from io import BytesIO

    from PIL import Image

    from zerosum.report.animation import looping

    pictures = [Image.open(BytesIO(frame)).convert("RGB") for frame in frames]
    each = int(1000 * _GIF_SECONDS / len(pictures))
    return looping(pictures, [*[each] * (len(pictures) - 1), 2500], colours=128)


def _scenario(args: Lab, suffix: str) -> int:
    from zerosum.report.progress import CountProgress
    from zerosum.report.scenario_figure import draw_scenario
    from zerosum.study.scenario import SCENARIOS

    if suffix == ".gif":
        raise Refusal(f"The scenario {args.scenario} has no animation: give --figure a name that ends in .png.")
    assert args.scenario is not None
    scenario = SCENARIOS[args.scenario]
    found = scenario.play(args.seeds or scenario.seeds, args.rounds, CountProgress())
    where = args.figure or Path("runs") / f"lab-{args.scenario}.png"
    _written(where, draw_scenario(found))
    if args.json:
        print(json.dumps({"scenario": args.scenario, "rows": found.rows, "why": found.why, "figure": str(where)}, allow_nan=False))
    else:
        print(tabled([{ROW_HEADINGS.get(key, key): value for key, value in row.items()} for row in found.rows]))
        print(f"\n{paragraph(found.why)}")
        tell(f"figure: {where}")
    sys.stdout.flush()
    return 0


def tabled(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of plain values as a table, with a column for every key."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    values = [[row.get(name) for name in names] for row in rows]
    return text_table(names, [["-" if c is None else f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in values])


def _told(args: Lab, where: Path, found: Mapping[str, Any]) -> int:
    if args.json:
        print(json.dumps({"figure": str(where), **found}, allow_nan=False))
    else:
        print(tabled([{"": PANELS.get(name, name), **{HEADINGS.get(k, k): v for k, v in row.items()}} for name, row in found.items()]))
        tell(f"figure: {where}")
    sys.stdout.flush()
    return 0
