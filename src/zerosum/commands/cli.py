"""The program zerosum: calls the command's module, and turns what happened into a sentence and an exit status.

Exit status: 0 done, 1 a check failed where the command is a check (or zerosum has a bug), 2 bad usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from zerosum.commands import bugs
from zerosum.commands.flags import HelpAsked
from zerosum.commands.terminal import discard, prepare, tell
from zerosum.errors import Refusal, nearest
from zerosum.openmp import bound_spinning
from zerosum.plain_files import remedy
from zerosum.play import oom
from zerosum.play.interrupt import interruptible
from zerosum.report.text_table import paragraph
from zerosum.version import __version__

# A command is a file in this folder with `main(argv) -> exit status`; the sentence is its line on the help page.
COMMANDS: dict[str, str] = {
    "train": "Train a GAN on DATA: a name (mnist, ring8, grid25, bimodal, ...) or a path.",
    "resume": "Continue a run exactly where it stopped.",
    "sample": "Draw samples from a run's generator into an array, a picture or a folder.",
    "project": "Find the z at which a run's generator comes nearest to an image.",
    "evaluate": "Measure a run's samples against held-out data, or any set of samples against any other.",
    "diagnose": "Say how a run is going, or how it went: state, evidence and advice.",
    "report": "Write a run's report.html again, at any time.",
    "inspect": "Say what zerosum would train on, what it would skip, and why.",
    "prove": "Check the theorems: each proved number beside the measured one.",
    "lab": "Play with a GAN in a browser; draw the teaching figure; or run a scenario in which a GAN fails.",
    "watch": "Show runs in a browser as they train: samples, curves, verdict, comparisons.",
    "bench": "Time training steps, sampling and loading on this machine beside plain PyTorch.",
    "stress": "Run a standard trial (ring8, grid25, dirac, parzen) beside published results.",
}

EXAMPLES = """\
  zerosum train mnist --minutes 5 --out runs/digits
  zerosum sample runs/digits -n 64 --out digits.png
  zerosum evaluate runs/digits
"""

# What the user can fix: a full or failing disk, a folder that may not be written, a name that is too long, taken, or not a folder.
_NAMES = ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG", "ENOENT")
_FIXABLE = {getattr(errno, name) for name in _NAMES if hasattr(errno, name)}


def overview() -> str:
    """The page of `zerosum --help`."""
    commands = "\n".join(paragraph(line, " " * 13, f"  {name:<10} ") for name, line in COMMANDS.items())
    about = paragraph("Train generative adversarial networks (GANs), and read in words, with evidence, how the training is going.")
    further = paragraph("`zerosum COMMAND --help` lists the options of a command; `zerosum --version` prints the version.")
    return f"usage: zerosum COMMAND ...\n\n{about}\n\ncommands:\n{commands}\n\nexamples:\n{EXAMPLES}\n{further}"


def dispatch(argv: Sequence[str]) -> int:
    """Runs one command line. Returns the exit status; raises Refusal for what the user can fix."""
    command, *rest = argv or ["--help"]
    if command in ("-h", "--help", "help"):
        print(overview())
        return 0
    if command in ("-V", "--version"):
        print(f"zerosum {__version__}")
        return 0
    if command not in COMMANDS:
        raise Refusal(f"zerosum has no command {command!r}.{nearest(command, COMMANDS) or ' See zerosum --help.'}")
    try:
        status: int = import_module(f"zerosum.commands.{command}").main(rest)
    except HelpAsked as page:
        print(page)
        return 0
    return status


def _say(sentence: str) -> None:
    """A sentence on standard error: wrapped between words for a terminal, one line for any other reader."""
    said = f"zerosum: {sentence}"
    with suppress(OSError):  # Nobody reads it.
        if sys.stderr.isatty():
            print(paragraph(said, " " * 9, ""), file=sys.stderr)
        else:
            tell(said, error=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The console script. No error leaves it as a traceback."""
    interruptible()
    prepare()
    bound_spinning()
    try:
        status = dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return status
    except Refusal as refusal:
        _say(str(refusal))
        return 2
    except KeyboardInterrupt:
        _say("interrupted.")
        return 130
    except BrokenPipeError:
        return 0  # The reader of our output (head, less) has left.
    except bugs.Bug as bug:
        _say(bugs.sentence(bug.log, bug.__cause__ or bug))
        return 1
    except Exception as error:
        if oom.is_lack_of_memory(error):
            asked = f"{oom.asked_for(error)} could not be allocated"
            _say(f"there is not enough memory for this: {asked}; use a smaller --batch, --net.width, --data.size or --data.limit.")
            return 2
        if isinstance(error, OSError) and error.errno is not None and error.errno in _FIXABLE:
            where = f" {error.filename}" if error.filename else ""
            _say(f"the system refused{where}: {os.strerror(error.errno).lower()}; {remedy(error)}.")
            return 2
        _say(bugs.sentence(bugs.write_log(error), error))
        return 1
    finally:
        discard()
