"""zerosum watch [RUN or FOLDER ...]: a page that shows runs, live and finished."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

from zerosum.commands.flags import parse
from zerosum.commands.terminal import tell
from zerosum.errors import Refusal
from zerosum.options import expanded

EXAMPLES = """\
  zerosum watch                     every run in runs/, and new ones as they begin
  zerosum watch runs/digits         one run
  zerosum watch runs/ /backup/runs  the runs in several folders
"""


@dataclass(frozen=True)
class Watch:
    """Show runs in a browser: live, finished, crashed, or still being copied. Words before the options are runs and folders of runs;
    without one, runs/. Nothing in them is changed."""

    port: int | None = None
    """The page's port. Default: the first free one from 8765 on."""
    host: str = "127.0.0.1"
    """The page's address. Any other than 127.0.0.1 needs the token that is printed."""
    no_browser: bool = False
    """Do not open a browser."""
    allow_stop: bool = False
    """Let the page stop a run cleanly, with a token that is printed here."""
    parent: int | None = None
    """End with this process, which started the watch (used by train --watch)."""


def main(argv: Sequence[str]) -> int:
    named = 0
    while named < len(argv) and not argv[named].startswith("-"):
        named += 1
    args = parse(Watch, argv[named:], prog="zerosum watch", examples=EXAMPLES)
    places = [expanded(word) for word in argv[:named]] or [Path("runs")]
    for place in places:
        if not place.is_dir() and argv[:named]:
            raise Refusal(f"{place} is no folder: give a run, or a folder of runs.")
    from zerosum.web.server import bound, end_with_parent, require_web, serve

    require_web()
    from zerosum.web.watch_app import Watch as Watched
    from zerosum.web.watch_app import watch_app

    watched = Watched(places, token_urlsafe(12) if args.allow_stop else "")
    listening, address = bound(args.host, args.port)

    def ready() -> None:
        if watched.stop_token:
            tell(f"The token for stopping a run: {watched.stop_token}")
        tell(f"The runs are at {address.url}")
        if args.parent is None:
            tell("Press Ctrl-C to end the page; runs go on.")
        sys.stdout.flush()

    if args.parent is not None:
        end_with_parent(args.parent, lambda: os.kill(os.getpid(), signal.SIGTERM))
    serve(watch_app(watched), listening, address, ready=ready, browser=not args.no_browser)
    return 0
