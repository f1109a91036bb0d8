"""Every row of the table holds, and a row does fail when what it states is not so."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from zerosum.game import penalty as penalty_module
from zerosum.game import value as value_module
from zerosum.game.penalty import PENALTIES
from zerosum.game.value import VALUES, Loss
from zerosum.theory.proof import PROOFS, Statement, prove
from zerosum.theory.statement import relative_statement, statement


@cache
def rows_of(name: str) -> list[Statement]:
    return PROOFS[name]()


@pytest.mark.parametrize("name", list(PROOFS))
def test_every_row_holds(name: str) -> None:
    rows = rows_of(name)
    assert rows
    assert [r for r in rows if not r.holds] == []
    assert all(r.name and r.source and r.tolerance >= 0 for r in rows)


def test_names_are_unique() -> None:
    names = [r.name for name in PROOFS for r in rows_of(name)]
    assert len(set(names)) == len(names)


def test_a_row_holds_within_its_tolerance_alone() -> None:
    assert statement("x", "y", 1.0, 1.09, 0.1).holds
    assert not statement("x", "y", 1.0, 0.89, 0.1).holds
    assert not statement("x", "y", 0.0, math.nan, 1e9).holds
    assert relative_statement("x", "y", -2.0, -2.1, 0.1) == Statement("x", "y", -2.0, -2.1, 0.2, True)


def _negated(cost: Loss) -> Loss:
    return lambda a, b: -cost(a, b)


def _halved(cost: Loss) -> Loss:
    return lambda a, b: cost(a, b) / 2


def _half_at_reals(cost: Loss) -> Loss:
    """The term in a alone loses its factor; a paired cost loses it in its slope."""

    def changed(a: Tensor, b: Tensor) -> Tensor:
        return cost(a / 2, b)

    return changed


@pytest.mark.parametrize("name", list(VALUES))
@pytest.mark.parametrize("player", ["d", "g"])
@pytest.mark.parametrize("fault", [_negated, _halved])
def test_a_fault_in_a_cost_is_found(monkeypatch: pytest.MonkeyPatch, name: str, player: str, fault: object) -> None:
    assert callable(fault)
    broken = replace(VALUES[name], **{player: fault(getattr(VALUES[name], player))})
    monkeypatch.setitem(value_module.VALUES, name, broken)
    monkeypatch.setattr("zerosum.theory.proofs_play.DIRAC_TABLE", {})
    assert _some_row_fails()


@pytest.mark.parametrize("name", list(VALUES))
def test_a_fault_at_the_reals_alone_is_found(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(value_module.VALUES, name, replace(VALUES[name], d=_half_at_reals(VALUES[name].d)))
    monkeypatch.setattr("zerosum.theory.proofs_play.DIRAC_TABLE", {})
    assert _some_row_fails()


@pytest.mark.parametrize("name", [name for name, row in PENALTIES.items() if row is not None])
def test_a_fault_in_a_penalty_is_found(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """So that every row of PENALTIES has its statement."""
    row = PENALTIES[name]
    assert row is not None
    assert all(statement.holds for statement in prove(["penalties"]))
    monkeypatch.setitem(penalty_module.PENALTIES, name, replace(row, of_square=lambda s: row.of_square(s) / 2))
    assert any(not statement.holds for statement in prove(["penalties"]))


def _some_row_fails() -> bool:
    """Whether a row of the cheap proofs fails, or refuses the game as one without an optimum."""
    return any(not r.holds for r in prove(("dirac", "identities")))


def test_the_table_of_sound_games_fails_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the fault tests: the same shortened table, with nothing broken."""
    monkeypatch.setattr("zerosum.theory.proofs_play.DIRAC_TABLE", {})
    assert not _some_row_fails()


def test_rows_do_not_depend_on_the_global_generator() -> None:
    first = rows_of("preliminaries")
    torch.manual_seed(2)
    assert PROOFS["preliminaries"]() == first


def test_a_game_without_an_optimum_is_a_row_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(value_module.VALUES, "minimax", replace(VALUES["minimax"], d=_negated(VALUES["minimax"].d)))
    (only,) = prove(["optimal discriminator"])
    assert not only.holds
    assert math.isnan(only.measured)
    assert "no finite optimum" in only.name
