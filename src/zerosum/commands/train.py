"""zerosum train DATA: train a GAN, and write a run folder with its report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zerosum.commands.flags import HelpAsked, flags_of, flat, parse_given, positional, shown
from zerosum.commands.terminal import tell
from zerosum.data.options import HUGGING_FACE, DataOptions
from zerosum.options import Choices, expanded, value_of
from zerosum.play.config import Config
from zerosum.play.length import MINUTES, Minutes, Samples, checked_length
from zerosum.play.presets import PRESET_NAMES, default_preset, listing, named, with_net

if TYPE_CHECKING:
    from zerosum.data.source import Data

EXAMPLES = """\
  zerosum train mnist --minutes 5 --out runs/digits     the digits that come with zerosum
  zerosum train ring8 --minutes 1                       a known density in two dimensions
  zerosum train ring8 --minutes 10 --until-plateau      until it no longer improves, in ten minutes at most
  zerosum train photos/ --data.size 64 --minutes 60     a folder of images
  zerosum train cloud.npy --preset goodfellow --samples 1e6
  zerosum train bimodal --game.value minimax --game.penalty none --d.lr 1e-4
  zerosum train mnist --dry-run                         the options that would be used, and no training
"""

LIST = "list"


@dataclass(frozen=True)
class Train:
    """Train a GAN on DATA. The run's folder gets the record, checkpoints, grids of samples and report.html.

    The defaults come from a preset that suits DATA, and any option replaces one of them. The values in [brackets] are the
    defaults: `zerosum train DATA --help` shows those for your data."""

    data: str = positional("DATA")
    """A name: mnist, fashion-mnist or a known density (listed below). A mixture such as "mixture:0.3*N(-2,0.5)+0.7*N(1,0.2)". Or a path:
    a folder or zip of images, parquet files or tar shards of images, an idx file, or an array (.npy, .npz). Or hf:NAME, a data set of the
    Hugging Face hub."""
    out: Path | None = None
    """The run's folder: a new or empty one. Default: runs/NAME-N with the first free N."""
    preset: Annotated[str | None, replace(PRESET_NAMES, also=(LIST,))] = None
    """The preset that gives the defaults; "list" prints them all. Default: the one that suits DATA."""
    minutes: Minutes = None
    """Train for about this many minutes. The speed of the first seconds fixes the number of samples, which is recorded."""
    samples: Samples = None
    """Train until D has seen this many real samples, instead of --minutes."""
    until_plateau: bool = False
    """End earlier if the run plateaus: when the distance to held-out data no longer improves, the learning rates decay (over a third of the
    run), and the run ends. --minutes or --samples is the longest it may take."""
    tensorboard: bool = False
    """Also write the record for TensorBoard, into RUN/tensorboard (needs pip install 'zerosum[tensorboard]')."""
    watch: bool = False
    """Also show the run in a browser while it trains (needs pip install 'zerosum[web]'). `zerosum watch RUN` shows it later."""
    quiet: bool = False
    """Show no progress."""
    dry_run: bool = False
    """Print the options that would be used and the facts about DATA, and train nothing."""
    config: Config = flat(Config)


def preset_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults for what is on the command line: of the preset named there, or of the one that suits DATA."""
    name = given.get("preset")
    if name == LIST:
        raise HelpAsked(listing())
    length = {} if given.get("samples") is not None else {"minutes": MINUTES}
    if name is None and given.get("data") is not None:
        name = default_preset(*_kind(given["data"], given.get("config.data.size")), lambda: _labelled(given))
    if name is None:
        return length
    config = named(name).config
    return {**length, "preset": name, "config": with_net(config, given.get("config.net.kind", config.net.kind))}


def _kind(spec: str, size: str | None) -> tuple[str, tuple[int, ...] | None]:
    """Kind and shape of the data. Where the name alone tells them torch is not loaded, so that the help page is quick."""
    if size is None and spec in ("mnist", "fashion-mnist"):
        return "images", (1, 28, 28)
    if not spec.startswith(HUGGING_FACE) and not expanded(spec).exists():
        # A density, a mixture, or a mistake, which opening the data will refuse.
        return "points", None
    from zerosum.data.detect import kind_of

    return kind_of(spec, DataOptions(size=size))


def _labelled(given: Mapping[str, Any]) -> bool:
    """Whether the run may have class labels."""
    if given.get("config.net.classes") == "none":
        return False
    if given["data"] in ("mnist", "fashion-mnist"):
        return True
    from zerosum.data.detect import may_have_labels

    return may_have_labels(given["data"], DataOptions(labels=given.get("config.data.labels")))


def notes() -> str:
    """What the help page lists below the options: the presets and the known densities."""
    densities = ", ".join(Choices("zerosum.data.density", "DENSITIES").names())
    return f"presets:\n{listing()}\n\nknown densities:\n  {densities}\n\n"


def main(argv: Sequence[str]) -> int:
    args, given = parse_given(Train, argv, prog="zerosum train", examples=EXAMPLES, preset=preset_of, notes=notes())
    command = shlex.join(["zerosum", "train", *argv])
    checked_length(args.minutes, args.samples, "--{}")
    # Importing torch takes more than a second, so everything that can be refused without it has been refused above.
    from zerosum.api import open_data, train
    from zerosum.api.training import check_players, refuse_taken, run_folder
    from zerosum.api.warnings import warnings
    from zerosum.commands.listeners import followed, report
    from zerosum.commands.watching import watched
    from zerosum.play.distributed import is_first, require_name
    from zerosum.report.progress import reading

    require_name(args.out)
    quiet = args.quiet or not is_first()
    if args.out is not None:
        refuse_taken(args.out)
    data = open_data(args.data, args.config.data, False if quiet else reading)
    if not quiet and (said := warnings(data, args.config, given.get("config.net.classes"))):
        check_players(args.config, data)  # What cannot be trained is refused without a warning beside.
        for sentence in said:
            tell(sentence, error=True)
    if args.dry_run:
        return _dry_run(args, given, data)
    if data.skipped and not quiet:
        tell(f"{len(data.skipped)} files or folders were skipped; zerosum inspect {args.data} says why.", error=True)
    with (
        run_folder(args.out, data.name) as out,
        watched(out) if args.watch and is_first() else nullcontext(),
        followed(out, quiet=quiet, tensorboard=args.tensorboard and is_first()) as listener,
    ):
        run = train(
            data,
            minutes=args.minutes,
            samples=args.samples,
            until_plateau=args.until_plateau,
            out=out,
            preset=args.preset,
            config=args.config,
            listener=listener,
            command=command,
        )
    return report(run)


def _dry_run(args: Train, given: Mapping[str, Any], data: Data) -> int:
    """Prints what the training would use. Raises Refusal where the options and the data do not go together."""
    from zerosum.api.data import inspect, lines
    from zerosum.api.training import check_players
    from zerosum.play.device import choose
    from zerosum.play.memory import about_most_bytes
    from zerosum.report.text_table import text_table, wrapped

    weights = check_players(args.config, data)
    rows = list(origins(args, given))
    print(wrapped("\n".join(lines(inspect(data)))))
    print("weights: " + ", ".join(f"{player} {count:,}" for player, count in weights.items()))
    half = choose(args.config, data.space.kind).precision == "bf16"
    step = about_most_bytes(args.config, data.space, sum(weights.values()), 2 if half else 4)
    print(f"memory: at most about {step / 1e6:,.0f} MB for a step, besides 300 to 500 MB for PyTorch, and the data")
    print(f"\n{text_table(('option', 'value', 'from'), rows)}")
    print("\nNothing was trained: leave out --dry-run to start.")
    sys.stdout.flush()
    return 0


def origins(args: Train, given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every option of the training: its flag, its value, and where the value comes from (command line, a preset, or default)."""
    plain, preset = Train(""), named(args.preset).config if args.preset else args.config
    for flag in flags_of(Train):
        if "." not in flag.key and flag.key not in ("minutes", "samples", "until_plateau", "preset"):
            continue
        value = value_of(args, flag.key)
        if flag.key in given:
            origin = "command line"
        elif flag.key.startswith("config.") and value != value_of(preset, flag.key.removeprefix("config.")):
            origin = f"suits --net.kind {args.config.net.kind}"
        elif flag.key.startswith("config.") and value != value_of(plain, flag.key):
            origin = f"preset {args.preset}"
        else:
            origin = "default"
        yield flag.name, shown(value), origin
