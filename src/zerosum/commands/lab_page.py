"""zerosum lab without a scenario: the page on which you play with a GAN."""

from __future__ import annotations

import os
import sys

from zerosum.commands.flags import flags_of
from zerosum.commands.terminal import tell
from zerosum.play.config import Config


def main(*, host: str, port: int | None, browser: bool) -> int:
    """Serve the lab until Ctrl-C. Returns the exit status; raises Refusal where it cannot be served."""
    from zerosum.web.server import bound, require_web

    require_web()
    # Small networks are no faster on several cores, and the page needs one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from zerosum.web.lab_app import lab_app
    from zerosum.web.server import serve
    from zerosum.web.session import Session
    from zerosum.web.setup import Setup

    session = Session(Setup())
    listening, address = bound(host, port)

    def ready() -> None:
        tell(f"The lab is at {address.url}", "Press Ctrl-C to end it.")
        sys.stdout.flush()

    helps = {flag.key: flag.doc for flag in flags_of(Config)}
    serve(lab_app(session, helps), listening, address, ready=ready, browser=browser)
    return 0
