"""What an option may be: its type, choices and range, stated once in a dataclass field's annotation and checked here alone.

The command line (text), Python (values) and run.json (JSON values) call the same `Option`, so all three accept the same values and
refuse the others in the same words. Nothing here imports torch.
"""

from __future__ import annotations

import ast
import math
import reprlib
import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from zerosum.errors import Refusal, nearest, printable

OLD_NAMES = {"until_settled": "until_plateau", "knobs": "options"}
"""Options that were renamed, old name to new. The old ones are refused, and the refusal gives the new one."""

_ROOT = Path(__file__).parent
_SHORT = reprlib.Repr()
_SHORT.maxstring = 80


@dataclass(frozen=True)
class Choices:
    """The names in a table, as an annotation: Annotated[str, Choices("zerosum.game.value", "VALUES")].

    table: a dict or tuple at the top level of `module`. also: further words, listed before the table's.
    """

    module: str
    table: str
    also: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The words allowed: from the module where it is loaded, else from its source.

        Most tables hold functions of tensors. Their names are read without running the module, because importing torch would
        delay every help page by more than a second.
        """
        table = getattr(sys.modules.get(self.module), self.table, None)
        if table is None:
            table = _names_in_source(self.module, self.table)
        if table is None:
            table = getattr(import_module(self.module), self.table)
        return (*self.also, *table)


@cache
def _names_in_source(module: str, table: str) -> tuple[str, ...] | None:
    """The keys of a dict, or the items of a tuple, that a module of zerosum assigns to `table`; None where they are not plain strings."""
    file = _ROOT.joinpath(*module.split(".")[1:])
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    try:
        body = ast.parse(file.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError):
        return None
    for line in body:
        targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == table for target in targets):
            value = line.value  # type: ignore[attr-defined]
            words = value.keys if isinstance(value, ast.Dict) else value.elts if isinstance(value, (ast.Tuple, ast.List)) else [None]
            names = tuple(word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str))
            return names if len(names) == len(words) else None
    return None


@dataclass(frozen=True)
class Range:
    """The numbers allowed, as an annotation: Annotated[int, Range(1)]. least, most: included. above, below: excluded."""

    least: float = -math.inf
    most: float = math.inf
    above: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        inside = self.least <= number <= self.most
        return inside and (self.above is None or number > self.above) and (self.below is None or number < self.below)

    def __str__(self) -> str:
        """The range as the end of a phrase that begins with "a number"."""
        if self.least > -math.inf and self.most < math.inf:
            return f" from {self.least:g} to {self.most:g}"
        ends = []
        if self.above is not None or self.least > -math.inf:
            ends.append(f"of at least {self.least:g}" if self.above is None else f"above {self.above:g}")
        if self.below is not None or self.most < math.inf:
            most = f"at most {self.most:g}" if ends else f"of at most {self.most:g}"
            ends.append(most if self.below is None else f"below {self.below:g}")
        return f" {' and '.join(ends)}" if ends else ""


_NOUNS = {int: "a whole number", float: "a number", str: "a text", Path: "a path", bool: "True or False"}


@dataclass(frozen=True)
class Option:
    """An annotation taken apart.

    kind: int, float, str, Path or bool. choices: the words allowed, None for any. optional: whether it may be None.
    """

    kind: type[Any]
    choices: Choices | tuple[str, ...] | None = None
    range: Range = Range()
    optional: bool = False

    @classmethod
    def of(cls, hint: Any) -> Option:
        """The option of a type hint: a type, a Literal, either in Annotated with Choices or Range, and any of these or None."""
        if get_origin(hint) is Annotated:
            inner, *notes = get_args(hint)
            option = cls.of(inner)
            for note in notes:
                option = replace(option, choices=note) if isinstance(note, Choices) else option
                option = replace(option, range=note) if isinstance(note, Range) else option
            return option
        if get_origin(hint) in (Union, types.UnionType):
            (kept,) = (part for part in get_args(hint) if part is not types.NoneType)
            return replace(cls.of(kept), optional=True)
        if get_origin(hint) is Literal:
            return cls(str, get_args(hint))
        return cls(hint)

    @property
    def names(self) -> tuple[str, ...]:
        """The words allowed; () for any."""
        return self.choices.names() if isinstance(self.choices, Choices) else self.choices or ()

    @property
    def wanted(self) -> str:
        """What the option takes, as the end of a sentence that begins with "must be"."""
        return f"one of {', '.join(self.names)}" if self.names else f"{_NOUNS[self.kind]}{self.range}"

    def read(self, text: str, name: str) -> Any:
        """The value that a text on the command line stands for. Raises Refusal with the name, what it takes and what it got."""
        if self.optional and text.lower() == "none" and "none" not in self.names:
            return None
        try:
            value = text if self.names or self.kind is Path else _whole(text) if self.kind is int else self.kind(text)
        except ValueError:
            self._refuse(text, name)
        return self.checked(value, name)

    def checked(self, value: Any, name: str) -> Any:
        """`value` as the option keeps it: numpy's numbers as Python's, a whole float for an int, a text for a Path.

        Raises Refusal with the name, what it takes and what it got, for any other type or a value that is not allowed.
        """
        if value is None and self.optional:
            return None
        converted = self._converted(value)
        if converted is None or (self.names and converted not in self.names):
            self._refuse(value, name)
        if self.kind in (int, float) and not (converted in self.range and (self.kind is int or _is_finite(converted))):
            self._refuse(value, name)
        return converted

    def _converted(self, value: Any) -> Any:
        """The value in the option's own type, None where it has another."""
        if self.kind is bool or isinstance(value, bool):
            return value if isinstance(value, bool) and self.kind is bool else None
        if self.kind is int and isinstance(value, Integral):
            return int(value)
        if self.kind is int:
            return int(value) if isinstance(value, float) and value.is_integer() else None
        if self.kind is float and not isinstance(value, (int, float)):
            return float(value) if isinstance(value, Real) else None
        if self.kind is float:
            return value
        if self.kind is Path and isinstance(value, (str, Path)):
            return expanded(value)
        return value if isinstance(value, self.kind) else None

    def _refuse(self, value: Any, name: str) -> NoReturn:
        shown = f"{value:g}" if isinstance(value, float) else _SHORT.repr(value)
        hint = nearest(value, self.names) if isinstance(value, str) else ""
        finite = "a finite number" if isinstance(value, float) and not math.isfinite(value) and self.kind is float else "a number"
        raise Refusal(f"{name} must be {self.wanted.replace('a number', finite)}, not {shown}.{hint}")


def expanded(path: str | Path) -> Path:
    """A path with a leading ~ or ~user replaced by that home. Raises Refusal where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise Refusal(f"{printable(path)} names the home of a user who does not exist here: give the path in full.") from error


def _whole(text: str) -> int:
    """Whole numbers as people write them: 50000, 50_000, 5e4."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise ValueError(text) from None
        return int(number)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # A whole number in JSON may be too long to be a float.
        return False


@cache
def options_of(kind: type[Any]) -> dict[str, Option]:
    """Every option of a dataclass by its dotted name, nested dataclasses included: {"game.value": ..., "batch": ...}."""
    hints = get_type_hints(kind, include_extras=True)
    found: dict[str, Option] = {}
    for f in fields(kind):
        if is_dataclass(hint := hints[f.name]):
            found |= {f"{f.name}.{name}": option for name, option in options_of(hint).items()}  # type: ignore[arg-type]
        else:
            found[f.name] = Option.of(hint)
    return found


def value_of(whole: Any, name: str) -> Any:
    """The value of the option with this dotted name in a dataclass instance."""
    for part in name.split("."):
        whole = getattr(whole, part)
    return whole


def replaced(whole: Any, name: str, value: Any) -> Any:
    """A frozen dataclass with one option replaced, by its dotted name. The value is not checked."""
    head, _, rest = name.partition(".")
    return replace(whole, **{head: replaced(getattr(whole, head), rest, value) if rest else value})


def unknown(sentence: str, name: str, known: Iterable[str], spelled: str = "{}", otherwise: str = "") -> Refusal:
    """The refusal of an unknown option `name`: `sentence`, and its new name if it was renamed, else the nearest of `known`.

    spelled: how an option is written: "--{}" on the command line. otherwise: a sentence for a name that resembles none.
    """
    known = list(known)
    new = OLD_NAMES.get(name.replace("-", "_"), "")
    for word in (new, new.replace("_", "-")):
        if new and word in known:
            return Refusal(f"{sentence}: it is now called {spelled.format(word)}.")
    # An option is often remembered by its last part alone: gamma for game.gamma.
    near = get_close_matches(name, known, cutoff=0.75) or [k for k in known if _last(k) == _last(name)]
    near = near or get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean {' or '.join(spelled.format(word) for word in near)}?" if near else otherwise
    return Refusal(f"{sentence}. {hint}".rstrip())


def _last(name: str) -> str:
    return name.replace("_", ".").rpartition(".")[2]
