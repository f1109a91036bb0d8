"""train --watch: the page in a process of its own beside a training, which nothing that happens to the page can stop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def watched(run: Path, port: int | None = None, browser: bool = True) -> Iterator[None]:
    """Serves the run's page while the training lasts. It prints its address; it ends with this process, however that ends."""
    from zerosum.web.server import require_web

    require_web()
    run.mkdir(parents=True, exist_ok=True)  # The training takes an empty folder as new.
    command = [sys.executable, "-m", "zerosum", "watch", str(run), "--parent", str(os.getpid())]
    command += ["--port", str(port)] if port is not None else []
    command += [] if browser else ["--no-browser"]
    # Ctrl-C in the terminal is for the training: the page stays until it has ended.
    page = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        page.terminate()
        with suppress(subprocess.TimeoutExpired):
            page.wait(5)
