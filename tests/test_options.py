"""What an option may be: read from text, checked as a value, and stated in one place."""

from __future__ import annotations

import math
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from zerosum import options
from zerosum.commands.flags import flags_of
from zerosum.commands.train import Train
from zerosum.errors import Refusal
from zerosum.game.augment import AUGMENTATIONS
from zerosum.game.penalty import PENALTIES
from zerosum.game.prior import PRIORS
from zerosum.game.value import VALUES
from zerosum.nets import NETS
from zerosum.nets.mlp import ACTIVATIONS
from zerosum.options import OLD_NAMES, Choices, Option, Range, options_of, replaced, unknown, value_of
from zerosum.play.config import Config, check, from_json, to_json
from zerosum.play.players import OPTIMISERS
from zerosum.play.presets import PRESETS

OPTIONS = options_of(Config)
TABLES: dict[str, Any] = {
    "game.value": VALUES,
    "game.penalty": PENALTIES,
    "game.augment": AUGMENTATIONS,
    "prior.kind": PRIORS,
    "net.kind": NETS,
    "net.activation": ACTIVATIONS,
    "net.activation_g": ("same", *ACTIVATIONS),
    "d.optimiser": OPTIMISERS,
    "g.optimiser": OPTIMISERS,
}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_is_accepted_and_nothing_else(name: str) -> None:
    assert OPTIONS[name].names == tuple(TABLES[name])
    for word in TABLES[name]:
        assert value_of(from_json(to_json(replaced(Config(), name, word))), name) == word
    with pytest.raises(Refusal, match=f"{name} in the run's config must be one of"):
        from_json(to_json(replaced(Config(), name, "nothing of the kind")))


def test_names_read_from_source_are_those_of_the_module() -> None:
    """Help pages read the names without importing torch; the tables themselves must agree with that."""
    found = [o.choices for o in (*OPTIONS.values(), *options_of(Train).values()) if isinstance(o.choices, Choices)]
    assert len(found) > len(TABLES)
    for choices in found:
        table = getattr(import_module(choices.module), choices.table)
        assert options._names_in_source(choices.module, choices.table) == tuple(table), choices


def test_a_row_added_in_a_program_is_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VALUES, "mine", VALUES["hinge"])
    assert OPTIONS["game.value"].checked("mine", "game.value") == "mine"
    check(replaced(Config(), "game.value", "mine"))


def test_no_names_are_read_from_what_is_not_a_plain_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "_ROOT", tmp_path)
    (tmp_path / "tables.py").write_text("A = {'x': 1, **B}\nB: dict[str, int] = {'y': 2}\nC = f()\nD = ('u', 'v')\n")
    found = {table: options._names_in_source("zerosum.tables", table) for table in "ABCDE"}
    assert found == {"A": None, "B": ("y",), "C": None, "D": ("u", "v"), "E": None}
    assert options._names_in_source("zerosum.nowhere", "A") is None


def test_every_option_has_a_doc_a_type_and_its_number_a_range() -> None:
    unlimited = {"seed", "d.lr_end", "g.lr_end", "data.limit"}
    for flag in flags_of(Config):
        option = flag.option
        assert option.kind in (int, float, str, bool), flag.name
        assert flag.doc.endswith("."), flag.name
        if option.kind in (int, float):
            assert (option.range != Range()) != (flag.key in unlimited), flag.name


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.kind in (int, float) and option.range != Range()])
def test_a_number_outside_its_range_is_refused_everywhere_in_the_same_words(name: str) -> None:
    option = OPTIONS[name]
    outside = option.range.least - 1 if option.range.least > -math.inf else option.range.most + 1
    wanted = f"must be {option.wanted}, not {outside:g}."
    with pytest.raises(Refusal) as text:
        option.read(f"{outside:g}", f"--{name}")
    with pytest.raises(Refusal) as value:
        check(replaced(Config(), name, outside))
    with pytest.raises(Refusal) as stored:
        from_json(to_json(replaced(Config(), name, outside)))
    assert str(text.value) == f"--{name} {wanted}"
    assert str(value.value) == f"{name} {wanted}"
    assert str(stored.value) == f"{name} in the run's config {wanted}"
    with pytest.raises(Refusal, match=f"{name} must be"):
        option.checked(float("nan"), name)


def test_every_preset_is_within_the_ranges_and_comes_back_from_json() -> None:
    for preset in PRESETS.values():
        check(preset.config)
        assert from_json(to_json(preset.config)) == preset.config


@pytest.mark.parametrize(
    ("hint", "option"),
    [
        (int, Option(int)),
        (Literal["a", "b"], Option(str, ("a", "b"))),
        (Annotated[float | None, Range(0)], Option(float, range=Range(0), optional=True)),
        (Annotated[int, Range(1)] | None, Option(int, range=Range(1), optional=True)),
        (Annotated[str, Choices("m", "T")], Option(str, Choices("m", "T"))),
        (Path | None, Option(Path, optional=True)),
    ],
)
def test_an_annotation_is_taken_apart(hint: Any, option: Option) -> None:
    assert Option.of(hint) == option


@pytest.mark.parametrize(
    ("hint", "value", "kept"),
    [
        (int, np.int32(3), 3),
        (int, 5e4, 50_000),
        (float, 1, 1),
        (float, np.float32(0.25), 0.25),
        (float | None, None, None),
        (Path, "a/b", Path("a/b")),
        (bool, False, False),
        (Literal["a"], "a", "a"),
    ],
)
def test_values_are_kept_as_plain_ones(hint: Any, value: Any, kept: Any) -> None:
    found = Option.of(hint).checked(value, "x")
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        (int, True, "x must be a whole number, not True."),
        (int, "3", "x must be a whole number, not '3'."),
        (int, 2.5, "x must be a whole number, not 2.5."),
        (int, None, "x must be a whole number, not None."),
        (int, float("inf"), "x must be a whole number, not inf."),
        (float, [1.0], "x must be a number, not [1.0]."),
        (float, float("nan"), "x must be a finite number, not nan."),
        (float, 10**400, "x must be a number, not 1000"),
        (bool, 1, "x must be True or False, not 1."),
        (str, 3, "x must be a text, not 3."),
        (Literal["abc", "xyz"], "abd", "x must be one of abc, xyz, not 'abd'. Did you mean abc?"),
        (Literal["abc"], ["abc"], "x must be one of abc, not ['abc']."),
        (Annotated[int, Range(1)], 0, "x must be a whole number of at least 1, not 0."),
        (Annotated[float, Range(0, 1)], 2.0, "x must be a number from 0 to 1, not 2."),
        (Annotated[float, Range(above=0)], 0.0, "x must be a number above 0, not 0."),
        (Annotated[float, Range(0, below=0.5)], 0.5, "x must be a number of at least 0 and below 0.5, not 0.5."),
        (Annotated[float, Range(most=1)], 2, "x must be a number of at most 1, not 2."),
    ],
)
def test_other_values_are_refused_in_one_sentence(hint: Any, value: Any, words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        Option.of(hint).checked(value, "x")
    assert str(refusal.value).startswith(words)
    assert len(str(refusal.value)) < 200


def test_old_names_are_refused_with_the_new_one() -> None:
    for old, new in OLD_NAMES.items():
        assert str(unknown("No", old, [new, "other"])) == f"No: it is now called {new}."
        spelled = new.replace("_", "-")
        assert str(unknown("No", old.replace("_", "-"), [spelled], "--{}")) == f"No: it is now called --{spelled}."
        assert old not in OPTIONS
        assert old not in options_of(Train)


@pytest.mark.parametrize(
    "words",
    ["train ring8 --minutes 0", "train ring8 --minutes 1 --samples 2", "resume run --samples 0", "resume run --minutes 1 --samples 2"],
)
def test_a_length_that_is_none_is_refused_before_torch_is_loaded(words: str) -> None:
    code = "import sys; from zerosum.commands.cli import main; s = main(sys.argv[1:]); assert 'torch' not in sys.modules; sys.exit(s)"
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1


def test_a_path_may_begin_with_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    option = Option(Path)
    assert option.read("~/runs/a", "--out") == option.checked("~/runs/a", "out") == option.checked(Path("~/runs/a"), "out")
    assert option.read("~/runs/a", "--out") == tmp_path / "runs/a"
    assert option.read("a~/b", "--out") == Path("a~/b")


def test_a_home_folder_of_no_user_is_refused() -> None:
    with pytest.raises(Refusal, match="give the path in full"):
        Option(Path).read("~no such user/a", "--out")
