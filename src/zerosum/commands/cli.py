"""The command zerosum: finds the verb's file, calls it, and turns what happened into a sentence and an exit status.

Exit status: 0 done, 1 a check failed where the command is a check (or zerosum has a bug), 2 bad usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from zerosum.commands import bugs
from zerosum.commands.flags import HelpAsked
from zerosum.errors import Refusal, nearest
from zerosum.play import oom
from zerosum.play.interrupt import interruptible
from zerosum.version import __version__

# A verb is a file in this folder with `main(argv) -> exit status`; the sentence is its line on the help page.
VERBS: dict[str, str] = {
    "train": "Train a GAN on DATA: a name (mnist, ring8, grid25, bimodal, ...) or a path.",
    "resume": "Go on with a run exactly where it stopped.",
    "sample": "Draw samples from a run's generator into an array, a picture or a folder.",
    "evaluate": "Measure a run, or any set of samples against any other.",
    "diagnose": "Say how a run is going or went, from its record: state, evidence, advice.",
    "inspect": "Say what would be trained on, what would be skipped, and why.",
    "prove": "Measure the theorems: each proved number beside the measured one.",
    "lab": "Draw the teaching figure from a real game, or play a scenario.",
    "bench": "Time this machine's rounds, sampling and loading beside plain PyTorch.",
    "stress": "Play a standard trial (ring8, grid25, dirac, parzen) beside published figures.",
}

EXAMPLES = """\
  zerosum train mnist --minutes 5 --out runs/digits
  zerosum sample runs/digits -n 64 --out digits.png
  zerosum evaluate runs/digits
"""

# What the person can mend: a full disk or one that fails, a folder that may not be written, a name that is too long, taken, or no folder.
_NAMES = ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG", "ENOENT")
_MENDABLE = {getattr(errno, name) for name in _NAMES if hasattr(errno, name)}


def overview() -> str:
    """The page of `zerosum --help`."""
    verbs = "\n".join(f"  {verb:<10} {line}" for verb, line in VERBS.items())
    return (
        "usage: zerosum VERB ...\n\n"
        "Train generative adversarial networks, and be told in words and with evidence how the training is going.\n\n"
        f"verbs:\n{verbs}\n\nexamples:\n{EXAMPLES}\n"
        "`zerosum VERB --help` tells a verb's knobs; `zerosum --version` tells the version."
    )


def dispatch(argv: Sequence[str]) -> int:
    """Runs one command line. Returns the exit status; raises Refusal for what the person can mend."""
    verb, *rest = argv or ["--help"]
    if verb in ("-h", "--help", "help"):
        print(overview())
        return 0
    if verb in ("-V", "--version"):
        print(f"zerosum {__version__}")
        return 0
    if verb not in VERBS:
        raise Refusal(f"zerosum has no verb {verb!r}.{nearest(verb, VERBS) or ' See zerosum --help.'}")
    try:
        status: int = import_module(f"zerosum.commands.{verb}").main(rest)
    except HelpAsked as page:
        print(page)
        return 0
    return status


def _say(sentence: str) -> None:
    print(f"zerosum: {sentence}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """The console script. Nothing leaves it as a traceback."""
    interruptible()
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
        # The reader of our output (head, less) has gone; point it elsewhere, so that Python's own flush at exit stays silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except bugs.Bug as bug:
        _say(bugs.sentence(bug.log, bug.__cause__ or bug))
        return 1
    except Exception as error:
        if oom.is_lack_of_memory(error):
            asked = f"{oom.asked_for(error)} could not be had"
            _say(f"there is not enough memory for this: {asked}; use a smaller --batch, --net.width, --data.size or --data.limit.")
            return 2
        if isinstance(error, OSError) and error.errno is not None and error.errno in _MENDABLE:
            where = f" {error.filename}" if error.filename else ""
            _say(f"the system refused{where}: {os.strerror(error.errno).lower()}; free the space, or name another place.")
            return 2
        _say(bugs.sentence(bugs.write_log(error), error))
        return 1
