"""The statements about the code that trains hold, and their names are unique in the whole table."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from zerosum.game.value import VALUES
from zerosum.study import proofs_backends
from zerosum.study.proof import OF_THE_CODE
from zerosum.theory.proof import PROOFS
from zerosum.theory.proofs_value import PUBLISHED_LOSSES
from zerosum.theory.statement import Statement


@cache
def rows_of(name: str) -> list[Statement]:
    return OF_THE_CODE[name]()


@pytest.mark.parametrize("name", list(OF_THE_CODE))
def test_every_statement_holds(name: str) -> None:
    rows = rows_of(name)
    assert rows
    assert [r for r in rows if not r.holds] == []


def test_names_are_unique() -> None:
    names = [r.name for proofs in (PROOFS, OF_THE_CODE) for name in proofs for r in proofs[name]()]
    assert len(set(names)) == len(names)


def test_every_value_function_has_its_published_losses() -> None:
    assert list(PUBLISHED_LOSSES) == list(VALUES)


@pytest.mark.parametrize("backend", ["autograd", "closed form"])
def test_a_wrong_factor_in_one_backend_is_seen(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the penalty's weight, in the backend that trains by default and in the other."""
    original = proofs_backends.Played.__init__

    def halved(self: proofs_backends.Played, *args: object) -> None:
        original(self, *args)  # type: ignore[arg-type]
        right = self.backends[backend].discriminator_gradients
        monkeypatch.setattr(
            self.backends[backend],
            "discriminator_gradients",
            lambda x, fake, y, gamma, eps: right(x, fake, y, gamma / 2, eps),
            raising=True,
        )

    monkeypatch.setattr(proofs_backends.Played, "__init__", halved)
    with torch.random.fork_rng():
        rows = proofs_backends._discriminator("relativistic", "r1r2")
    assert [r.holds for r in rows] == [not r.name.endswith(backend) for r in rows]
