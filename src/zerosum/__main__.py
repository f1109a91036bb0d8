"""python -m zerosum: the same as the command zerosum."""

import sys

from zerosum.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
