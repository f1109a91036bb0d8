"""The command line as a function of dataclasses: what is read, what is refused and with which sentence."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from zerosum.commands.flags import HelpAsked, field_docs, flags_of, flat, parse, positional, short
from zerosum.errors import Refusal
from zerosum.options import options_of
from zerosum.play.config import Config, GameOptions


@dataclass(frozen=True)
class Inner:
    """Inner options."""

    kind: Literal["round", "square"] = "round"
    """Its shape, of 100 % certainty."""
    g_steps: int = 1
    flip: bool = False
    """Mirrored."""


@dataclass(frozen=True)
class Whole:
    inner: Inner = field(default_factory=Inner)
    rate: float = 0.5
    """Its rate."""
    limit: int | None = None
    """Its limit."""


@dataclass(frozen=True)
class Do:
    """Do something with THING."""

    thing: str = positional("THING")
    """The thing."""
    n: int = short("-n", 64)
    """How many."""
    out: Path | None = None
    """Where to."""
    json: bool = False
    """As JSON."""
    whole: Whole = flat(Whole)


def read(*argv: str, preset: Any = None) -> Do:
    return parse(Do, argv, prog="zerosum do", examples="  zerosum do it", preset=preset)


def test_every_field_is_a_flag() -> None:
    got = read(
        "it",
        "-n",
        "3",
        "--out",
        "a/b",
        "--json",
        "--inner.kind",
        "square",
        "--inner.g-steps=2",
        "--inner.flip",
        "--rate",
        "-1e-3",
        "--limit",
        "5e4",
    )
    assert got == Do("it", 3, Path("a/b"), True, Whole(Inner("square", 2, True), -1e-3, 50_000))


def test_defaults_and_none() -> None:
    assert read("it") == Do("it")
    assert read("it", "--limit", "none").whole.limit is None


def test_underscores_are_hyphens_in_the_name_only() -> None:
    got = read("it", "--inner.g_steps", "7", "--out=a_b")
    assert got.whole.inner.g_steps == 7
    assert got.out == Path("a_b")


def test_a_preset_gives_the_defaults_and_flags_replace_them() -> None:
    def preset(given: dict[str, Any]) -> dict[str, Any]:
        return {"whole": Whole(Inner("square", 3, True), 9.0)} if given.get("thing") == "it" else {}

    assert read("it", "--rate", "1", "--no-inner.flip", preset=preset).whole == Whole(Inner("square", 3, False), 1.0)
    assert read("other", preset=preset).whole == Whole()
    with pytest.raises(HelpAsked) as page:
        read("it", "--help", preset=preset)
    assert "[9]" in str(page.value)
    assert "[square]" in str(page.value)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "needs THING"),
        (["it", "--inner.kind", "sqare"], "--inner.kind must be one of round, square, not 'sqare'. Did you mean square?"),
        (["it", "--innr.kind", "square"], "no option --innr.kind. Did you mean --inner.kind?"),
        (["it", "--rat=3"], "no option --rat. Did you mean --rate?"),
        (["it", "--grate", "3"], "no option --grate. Did you mean --rate?"),
        (["it", "--kind", "square"], "no option --kind. Did you mean --inner.kind?"),
        (["it", "--xyzzy", "3"], "no option --xyzzy. See zerosum do --help."),
        (["it", "--rate", "fast"], "--rate must be a number, not 'fast'."),
        (["it", "--rate", "nan"], "--rate must be a finite number, not nan."),
        (["it", "--limit", "3.5"], "--limit must be a whole number, not '3.5'."),
        (["it", "--limit", "inf"], "--limit must be a whole number, not 'inf'."),
        (["it", "-n"], "-n/--n needs a value after it."),
        (["it", "too", "many"], "'too': leave it out"),
        (["it", "--json=3"], "--json"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence(argv: list[str], words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(*argv)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_help_shows_docs_defaults_and_examples_whatever_else_is_wrong() -> None:
    with pytest.raises(HelpAsked) as page:
        read("--help", "--nonsense", "-n", "many")
    text = str(page.value)
    for words in (
        "Do something with THING.",
        "THING",
        "Its shape, of 100 % certainty. [round]",
        "{round,square}",
        "zerosum do it",
        "--no-inner.flip",
    ):
        assert words in text
    assert "--no-json" not in text


def test_docs_are_the_strings_below_the_fields() -> None:
    assert field_docs(Inner) == {"kind": "Its shape, of 100 % certainty.", "flip": "Mirrored."}


def test_every_option_of_the_config_is_a_flag_with_a_doc() -> None:
    flags = {f.name: f for f in flags_of(Config)}
    assert {f.key for f in flags.values()} == set(options_of(Config))
    assert [name for name, flag in flags.items() if not flag.doc.endswith(".")] == []
    assert flags["--game.g-steps"].key == "game.g_steps"
    assert flags["--d.lr"].about == "The optimiser of the discriminator."
    assert flags["--game.value"].about == inspect.getdoc(GameOptions)
