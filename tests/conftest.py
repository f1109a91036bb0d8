"""What every test may rely on."""

from __future__ import annotations

import signal

# A shell that starts a job in the background has it ignore Ctrl-C, and whatever the job starts inherits that.
# The processes that tests interrupt are to hear it wherever the tests run.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
