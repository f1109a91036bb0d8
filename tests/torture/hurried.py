"""The command line with checkpoints twice a second instead of once a minute, for test_torchrun.py: `torchrun ... hurried.py train ...`."""

from __future__ import annotations

import sys

from zerosum.commands import cli
from zerosum.training import timers

if __name__ == "__main__":
    timers.CHECKPOINT = 0.5
    sys.exit(cli.main())
