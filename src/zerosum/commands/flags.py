"""A frozen dataclass as a command line: every field is a flag, its annotation says what it takes, its docstring is the help.

Written on argparse rather than on a library for nested flags, because such a library takes ten times as long to show a help page, and
because an unknown flag should get one sentence with the nearest right one.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_type_hints

from zerosum.errors import Refusal
from zerosum.options import Option, replaced, unknown, value_of

T = TypeVar("T")
_METAVARS = {int: "N", float: "X", Path: "PATH"}


class HelpAsked(Exception):
    """The user asked for a page of text, which is the message, rather than for the command."""


def positional(name: str, *, optional: bool = False) -> Any:
    """A field given by its place on the command line instead of by a flag, called `name` on the help page. Missing: a Refusal, or None."""
    return field(default=None if optional else MISSING, metadata={"positional": name, "optional": optional})


def short(letter: str, default: Any) -> Any:
    """A field that also has a one-letter flag: short("-n", 64)."""
    return field(default=default, metadata={"short": letter})


def flat(kind: type[Any]) -> Any:
    """A nested dataclass whose fields are flags without a prefix: Config's are --batch, --game.value and so on."""
    return field(default_factory=kind, metadata={"flat": True})


@dataclass(frozen=True)
class Flag:
    """One flag: its spelling, the dotted name of the field that it sets, and what it takes. about: what its group on the help page is."""

    name: str
    key: str
    option: Option
    doc: str
    metadata: types.MappingProxyType[Any, Any]
    about: str = ""

    @property
    def is_positional(self) -> bool:
        return bool(self.metadata.get("positional"))

    @property
    def metavar(self) -> str:
        return "{" + ",".join(self.option.names) + "}" if self.option.names else _METAVARS.get(self.option.kind, "TEXT")


def field_docs(kind: type[Any]) -> dict[str, str]:
    """The docstring below each field of a dataclass, by the field's name; {} where the source cannot be read."""
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


def flags_of(kind: type[Any], path: str = "", prefix: str = "", about: str = "") -> Iterator[Flag]:
    """Every flag of a dataclass, nested ones with their parents' names before a dot: --game.g-steps."""
    hints, docs = get_type_hints(kind, include_extras=True), field_docs(kind)
    for f in fields(kind):
        hint = hints[f.name]
        if is_dataclass(hint):
            nested = "" if f.metadata.get("flat") else f"{f.name}."
            told = docs.get(f.name) or inspect.getdoc(hint) or ""
            yield from flags_of(hint, f"{path}{f.name}.", prefix + nested, told if nested else about)  # type: ignore[arg-type]
        else:
            name = f.metadata.get("positional") or f"--{prefix}{f.name}".replace("_", "-")
            yield Flag(name, path + f.name, Option.of(hint), docs.get(f.name, ""), f.metadata, about)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(message.removeprefix("argument ").replace(": expected one argument", " needs a value after it") + ".")


def _parser(prog: str, flags: Sequence[Flag], doc: str, epilog: str, default: Any) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        usage=" ".join([prog, *(f.name for f in flags if f.is_positional), "[options]"]),
        description=doc,
        epilog=epilog,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    groups: dict[str, Any] = {}
    for flag in flags:
        title = flag.name[2:].rpartition(".")[0] if not flag.is_positional else ""
        if title not in groups:
            groups[title] = parser.add_argument_group(f"{title} options", flag.about) if title else parser
        group = groups[title]
        text = _help(flag, default)
        if flag.is_positional:
            parser.add_argument(flag.key, metavar=flag.name, nargs="?", help=text)
        elif flag.option.kind is bool:
            # A preset can turn an option of the config on, so it needs a --no- form. A command's own flags are off by default.
            action = argparse.BooleanOptionalAction if "." in flag.key else "store_true"
            group.add_argument(flag.name, dest=flag.key, action=action, help=text)
        else:
            spellings = [s for s in (flag.metadata.get("short"), flag.name) if s]
            group.add_argument(*spellings, dest=flag.key, metavar=flag.metavar, help=text)
    parser.add_argument("-h", "--help", action="store_true", dest="help", help="Show this page.")
    return parser


def _help(flag: Flag, default: Any) -> str:
    value = value_of(default, flag.key)
    is_shown = value is not None and not flag.is_positional and (not isinstance(value, bool) or "." in flag.key)
    return (flag.doc + (f" [{shown(value)}]" if is_shown else "")).replace("%", "%%")


def shown(value: Any) -> str:
    """A value as it is written on the command line; "on" or "off" for a flag that takes none."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value).removesuffix(".0")


def _given(parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The values on the command line, as text by dotted name, and the words that no flag takes."""
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
            raise Refusal(f"{prog} has no use for {word!r}: leave it out, or see {prog} --help.")
        name = word.split("=", 1)[0]
        raise unknown(f"{prog} has no option {name}", name.lstrip("-"), names, "--{}", f"See {prog} --help.")


def parse(kind: type[T], argv: Sequence[str], *, prog: str, examples: str, preset: Any = None, notes: str = "") -> T:
    """An instance of the dataclass `kind` from the words `argv`.

    preset: None, or a function of the values given (by dotted name) that returns values for fields: the defaults which flags then
    replace, for the help page as for the parse. notes: text for the end of the help page, before the examples.
    Raises Refusal (one sentence) for whatever cannot be read, HelpAsked for --help.
    """
    return parse_given(kind, argv, prog=prog, examples=examples, preset=preset, notes=notes)[0]


def parse_given(
    kind: type[T], argv: Sequence[str], *, prog: str, examples: str, preset: Any = None, notes: str = ""
) -> tuple[T, Mapping[str, Any]]:
    """As `parse`, together with the values that stand on the command line, by dotted name."""
    flags = list(flags_of(kind))
    needed = [f for f in flags if f.is_positional and not f.metadata["optional"]]
    blank = kind(**dict.fromkeys((f.key for f in needed), None))

    def parser(default: Any) -> argparse.ArgumentParser:
        return _parser(prog, flags, inspect.getdoc(kind) or "", f"{notes}examples:\n{examples}", default)

    asked = "-h" in argv or "--help" in argv
    try:
        words, unknown = _given(parser(blank), argv)
        _refuse_unknown(unknown, flags, prog)
        given = {f.key: w if isinstance(w := words[f.key], bool) else f.option.read(w, f.name) for f in flags if f.key in words}
        default = replace(blank, **preset(given)) if preset else blank  # type: ignore[type-var]
    except Refusal:
        if not asked:
            raise
        given, default = {}, blank
    if asked:
        raise HelpAsked(parser(default).format_help())
    for flag in needed:
        if flag.key not in given:
            raise Refusal(f"{prog} needs {flag.name}: {prog} --help explains it, with examples.")
    for key, value in given.items():
        default = replaced(default, key, value)
    return default, given
