"""The random weights under which the inception network was held against another's: benchmarks/inception.py."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from torch import Tensor


@pytest.fixture(scope="session")
def oracle(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("inception")


@pytest.fixture(scope="session")
def state(oracle: ModuleType) -> dict[str, Tensor]:
    found: dict[str, Tensor] = oracle.random_state()
    return found
