"""A frozen dataclass as a command line: every field is a flag, its annotation the reader, its docstring the help.

Written on argparse, not on a library for nested flags: `--help` must answer before a reader notices (a dozen milliseconds against two
hundred), and a wrong flag must get one sentence with the nearest right one.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import math
import types
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from zerosum.errors import Refusal, nearest

T = TypeVar("T")


class HelpAsked(Exception):
    """The person asked for the help page; it is the message."""


def positional(name: str, *, optional: bool = False) -> Any:
    """A field given by its place on the command line instead of by a flag, called `name` on the help page. Missing: a Refusal, or None."""
    return field(default=None if optional else MISSING, metadata={"positional": name, "optional": optional})


def short(letter: str, default: Any) -> Any:
    """A field with a one-letter spelling as well: short("-n", 64)."""
    return field(default=default, metadata={"short": letter})


def knobs(kind: type[Any]) -> Any:
    """A nested dataclass whose own fields are flags without a prefix: Config's are --batch, --game.value and so on."""
    return field(default_factory=kind, metadata={"flat": True})


@dataclass(frozen=True)
class Flag:
    """One flag: its spelling, the path of fields that it sets, and how its text is read.

    kind: int, float, str, Path or bool. choices: the words allowed, () for any. optional: whether the field may be None (not given).
    """

    name: str
    path: tuple[str, ...]
    kind: type[Any]
    choices: tuple[str, ...]
    optional: bool
    doc: str
    metadata: types.MappingProxyType[Any, Any]

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def is_positional(self) -> bool:
        return bool(self.metadata.get("positional"))

    def read(self, text: str) -> Any:
        """The value that `text` stands for. Raises Refusal with the flag, what it takes and what it got."""
        if self.choices and text not in self.choices:
            raise Refusal(f"{self.name} must be one of {', '.join(self.choices)}, not {text}.{nearest(text, self.choices)}")
        if self.optional and text.lower() == "none":
            return None
        try:
            value = _whole(text) if self.kind is int else self.kind(text)
        except ValueError:
            raise Refusal(f"{self.name} must be {_NOUNS[self.kind]}, not {text!r}.") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise Refusal(f"{self.name} must be a finite number, not {text}.")
        return value


_NOUNS = {int: "a whole number", float: "a number", str: "a word", Path: "a path"}


def _whole(text: str) -> int:
    """Whole numbers as people write them: 50000, 50_000, 5e4."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise ValueError(text) from None
        return int(number)


def field_docs(kind: type[Any]) -> dict[str, str]:
    """The string that stands below each field of a dataclass, by the field's name; {} where the source is not there to be read."""
    try:
        tree = ast.parse(inspect.cleandoc(inspect.getsource(kind)))
    except (OSError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    docs: dict[str, str] = {}
    for line, below in pairwise(body):
        if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            docs[line.target.id] = " ".join(str(below.value.value).split())
    return docs


def flags_of(kind: type[Any], path: tuple[str, ...] = (), prefix: tuple[str, ...] = ()) -> Iterator[Flag]:
    """Every flag of a dataclass, nested ones with their parents' names before a dot: --game.g-steps."""
    hints, docs = get_type_hints(kind), field_docs(kind)
    for f in fields(kind):
        hint, here = hints[f.name], (*path, f.name)
        if is_dataclass(hint):
            yield from flags_of(hint, here, prefix if f.metadata.get("flat") else (*prefix, f.name))  # type: ignore[arg-type]
            continue
        kept = [h for h in get_args(hint) if h is not type(None)] if get_origin(hint) in (Union, types.UnionType) else [hint]
        choices = tuple(str(c) for c in get_args(kept[0])) if get_origin(kept[0]) is Literal else ()
        name = f.metadata.get("positional") or "--" + ".".join((*prefix, f.name)).replace("_", "-")
        yield Flag(name, here, str if choices else kept[0], choices, kept != [hint], docs.get(f.name, ""), f.metadata)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(message.removeprefix("argument ").replace(": expected one argument", " needs a value after it") + ".")


def _parser(prog: str, flags: Sequence[Flag], doc: str, examples: str, default: Any) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        usage=" ".join([prog, *(f.name for f in flags if f.is_positional), "[knobs]"]),
        description=doc,
        epilog=f"examples:\n{examples}",
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    groups: dict[str, Any] = {}
    for flag in flags:
        title = flag.name[2:].rpartition(".")[0] if not flag.is_positional else ""
        group = groups.setdefault(title, parser.add_argument_group(f"{title} options") if title else parser)
        text = _help(flag, default)
        if flag.is_positional:
            parser.add_argument(flag.key, metavar=flag.name, nargs="?", help=text)
        elif flag.kind is bool:
            # A preset may have switched a knob on; what a verb alone has is off until it is asked for.
            action = argparse.BooleanOptionalAction if len(flag.path) > 1 else "store_true"
            group.add_argument(flag.name, dest=flag.key, action=action, help=text)
        else:
            metavar = "{" + ",".join(flag.choices) + "}" if flag.choices else {int: "N", float: "X", Path: "PATH"}.get(flag.kind, "TEXT")
            spellings = [s for s in (flag.metadata.get("short"), flag.name) if s]
            group.add_argument(*spellings, dest=flag.key, metavar=metavar, help=text)
    parser.add_argument("-h", "--help", action="store_true", dest="help", help="Show this page.")
    return parser


def _help(flag: Flag, default: Any) -> str:
    value = default
    for name in flag.path:
        value = getattr(value, name, None)
    shown = f" [{value}]" if value is not None and not isinstance(value, bool) and not flag.is_positional else ""
    return (flag.doc + shown).replace("%", "%%")


def _given(parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """What stands on the command line, as text by field path, and the words that no flag knows."""
    words: list[str] = []
    for word in argv:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            words.append(name.replace("_", "-") + equals + value)
        elif words and words[-1].startswith("-") and _is_number(word):
            # argparse takes -1e-3 for a flag.
            words[-1] += f"={word}"
        else:
            words.append(word)
    known, unknown = parser.parse_known_args(words)
    return vars(known), unknown


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return word.startswith("-")


def _refuse_unknown(words: Sequence[str], flags: Sequence[Flag], prog: str) -> None:
    names = [f.name.removeprefix("--") for f in flags if not f.is_positional]
    for word in words:
        if not word.startswith("-"):
            raise Refusal(f"{prog} does not know what to do with {word!r}: it is one word too many.")
        name = word.split("=", 1)[0].lstrip("-")
        # A knob is often remembered by its last part alone: --gamma.
        near = get_close_matches(name, names, cutoff=0.7) or [n for n in names if n.rpartition(".")[2] == name.rpartition(".")[2]]
        hint = f" Did you mean {' or '.join(f'--{n}' for n in near)}?" if near else f" See {prog} --help."
        raise Refusal(f"{prog} has no knob {word.split('=', 1)[0]}.{hint}")


def parse(kind: type[T], argv: Sequence[str], *, prog: str, examples: str, preset: Any = None) -> T:
    """An instance of the dataclass `kind` from the words `argv`.

    preset: None, or a function of the words given (by field path, as text) that returns values for fields: the defaults which flags then
    replace, for the help page as for the parse. Raises Refusal (one sentence) for whatever cannot be read, HelpAsked for --help.
    """
    flags = list(flags_of(kind))
    doc = inspect.getdoc(kind) or ""
    needed = [f for f in flags if f.is_positional and not f.metadata["optional"]]
    blank = kind(**dict.fromkeys((f.path[0] for f in needed), None))
    asked = "-h" in argv or "--help" in argv
    try:
        given, unknown = _given(_parser(prog, flags, doc, examples, blank), argv)
        default = replace(blank, **preset(given)) if preset else blank  # type: ignore[type-var]
    except Refusal:
        if not asked:
            raise
        given, unknown, default = {}, [], blank
    if asked:
        raise HelpAsked(_parser(prog, flags, doc, examples, default).format_help())
    _refuse_unknown(unknown, flags, prog)
    for flag in needed:
        if flag.key not in given:
            raise Refusal(f"{prog} needs {flag.name} after it: {prog} --help says what that may be, with examples.")
    for flag in flags:
        if flag.key in given:
            text = given[flag.key]
            default = _with(default, flag.path, text if isinstance(text, bool) else flag.read(text))
    return default


def _with(whole: Any, path: tuple[str, ...], value: Any) -> Any:
    """A frozen dataclass with the field at `path` replaced."""
    head, *rest = path
    return replace(whole, **{head: _with(getattr(whole, head), tuple(rest), value) if rest else value})
