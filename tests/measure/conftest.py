"""The random weights under which the inception network was held against another's: benchmarks/inception.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from torch import Tensor


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    file = Path(__file__).parents[2] / "benchmarks" / "inception.py"
    spec = importlib.util.spec_from_file_location("inception_oracle", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def state(oracle: ModuleType) -> dict[str, Tensor]:
    found: dict[str, Tensor] = oracle.random_state()
    return found
