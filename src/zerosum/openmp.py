"""How long torch's threads spin while they wait for one another. It is set before torch loads, and only then has an effect.

GNU OpenMP, which torch uses on Linux, lets a thread that waits at a barrier spin some 300,000 times before it sleeps. On a machine to
itself that is right: a sleeping thread takes microseconds to wake. Beside another busy program it is not: the thread that all wait for
has no processor, because a waiting one spins on it, and training falls to a hundredth of its speed. A short spin is nearly as fast alone
and far faster beside others (docs/speed.md#two-things-at-once).
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SPINS = 2000
_USERS_CHOICE = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def bound_spinning(environment: MutableMapping[str, str] = os.environ) -> None:
    """Bound the spin of the threads that torch will have, unless the user has chosen it in the environment."""
    if not any(name in environment for name in _USERS_CHOICE):
        environment["GOMP_SPINCOUNT"] = str(SPINS)
