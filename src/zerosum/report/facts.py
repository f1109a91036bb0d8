"""The page's facts as text and tables: what was trained, on what, by which command and machine, its scores and its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zerosum.records import Row
from zerosum.report.folder import RunFolder
from zerosum.report.numbers import ABSENT, count, finite, number
from zerosum.report.words import BETTER


def summary(run: RunFolder) -> str:
    """One sentence: which nets learn which data by which game."""
    data, config = _part(run.manifest, "data"), _part(run.manifest, "config")
    net, game = _part(config, "net"), _part(config, "game")
    weights = _part(run.manifest, "parameters").get("G")
    what = [str(net["kind"]) if net.get("kind") else "", f"{count(weights)} weights" if finite(weights) is not None else ""]
    which = f" ({', '.join(part for part in what if part)})" if any(what) else ""
    play = f" in the {str(game['value']).replace('_', '-')} game" if game.get("value") else ""
    return f"A generator{which} learns {_items(data)}{play}."


def _items(data: Mapping[str, Any]) -> str:
    shape = data.get("shape")
    size = [int(s) for s in shape] if isinstance(shape, list) and all(isinstance(s, int) for s in shape) else []
    # Runs from before `what` was recorded say the kind and the shape.
    old = f"{data['kind']} of shape {' x '.join(map(str, size))}" if size and isinstance(data.get("kind"), str) else "data"
    what = str(data.get("what") or old)
    of = f" ({data['name']})" if data.get("name") else ""
    return (f"{count(data['train'])} " if finite(data.get("train")) else "") + what + of


def scores(run: RunFolder) -> list[dict[str, str]]:
    """The newest score of each name: name, value, interval, floor, direction, n, features, note (its meaning and circumstances)."""
    newest = {str(row.get("name")): row for row in run.of("score")}
    return [_score(name, row) for name, row in newest.items()]


def _score(name: str, row: Row) -> dict[str, str]:
    low, high, least, most = (finite(row.get(key)) for key in ("low", "high", "floor_low", "floor_high"))
    against = f", against the {row['split']} part" if row.get("split") else ""
    notes = [str(row.get("meaning") or ""), f"After {count(row.get('samples'))} training samples{against}", str(row.get("note") or "")]
    return {
        "name": name,
        "value": number(row.get("value")),
        "interval": f"{number(low)} to {number(high)}" if low is not None and high is not None else ABSENT,
        "floor": number(row.get("floor")) + (f" ({number(least)} to {number(most)})" if least is not None and most is not None else ""),
        "direction": BETTER.get(str(row.get("better")), ABSENT),
        "n": count(row.get("n")),
        # The first letters identify a hash; the record has all of it.
        "features": str(row.get("features") or ABSENT)[:20],
        "note": ". ".join(part[0].upper() + part[1:].rstrip(".") for part in notes if part) + ".",
    }


def about(run: RunFolder) -> list[tuple[str, str]]:
    """(name, text) of the data, the command, the machine and the nets, as far as known."""
    m, data, engine = run.manifest, _part(run.manifest, "data"), _part(run.manifest, "engine")
    parameters = _part(m, "parameters")
    parts = [f"{count(data[key])} {word}" for key, word in _SPLITS if finite(data.get(key)) is not None]
    classes = data.get("classes")
    facts = [
        ("Command", m.get("command")),
        ("Started", m.get("created")),
        ("Preset", m.get("preset")),
        ("Data", data.get("spec") or data.get("name")),
        ("Kind", _items({**data, "train": None, "name": None}) if data else None),
        (
            "Parts",
            ", ".join(parts) or ("unlimited: every sample is newly drawn from a known density" if data and "train" in data else None),
        ),
        ("Classes", ", ".join(map(str, classes)) if isinstance(classes, list) else None),
        ("Skipped", f"{count(data['skipped'])} items" if finite(data.get("skipped")) else None),
        ("Fingerprint", data.get("fingerprint")),
        ("Samples", _displaced(finite(_part(m, "sampling").get("widen")))),
        ("Weights", ", ".join(f"{player} {count(n)}" for player, n in parameters.items())),
        ("Execution", ", ".join(str(engine[key]) for key in ("engine", "precision", "device") if engine.get(key))),
        ("Why this engine", engine.get("reason")),
        ("Machine", ", ".join(text for key, text in _machine(engine) if engine.get(key))),
        ("Versions", ", ".join(f"{name} {v}" for name, v in (("zerosum", m.get("zerosum")), ("torch", engine.get("torch"))) if v)),
    ]
    return [(name, str(text)) for name, text in facts if text]


_SPLITS = (("train", "for training"), ("validation", "for validation"), ("test", "held out for evaluate"))


def _displaced(widen: float | None) -> str | None:
    """How samples differ from what G draws in training, where they do."""
    return None if widen in (None, 1) else f"displaced {widen:g} times as widely as in training"


def _machine(engine: Mapping[str, Any]) -> list[tuple[str, str]]:
    threads = engine.get("threads")
    return [("threads", f"{threads} thread" + ("" if threads == 1 else "s")), ("isa", str(engine.get("isa")))]


def options(run: RunFolder) -> list[tuple[str, str]]:
    """Every option as (flag, value), nested names joined by points as on the command line."""
    return [(f"--{name.replace('_', '-')}", str(value)) for name, value in _flat(_part(run.manifest, "config"))]


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _part(whole: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = whole.get(key)
    return part if isinstance(part, Mapping) else {}
