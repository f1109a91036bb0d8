"""zerosum train before any training: presets listed, and a dry run that says which options would be used and where they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from zerosum.commands.cli import main
from zerosum.commands.flags import flags_of, parse_given, shown
from zerosum.commands.train import EXAMPLES, Train, origins, preset_of
from zerosum.data.density import DENSITIES
from zerosum.options import value_of
from zerosum.play.config import Config
from zerosum.play.length import MINUTES
from zerosum.play.presets import PRESETS


def rows(*argv: str) -> dict[str, tuple[str, str]]:
    args, given = parse_given(Train, argv, prog="zerosum train", examples=EXAMPLES, preset=preset_of)
    return {name: (value, origin) for name, value, origin in origins(args, given)}


def test_presets_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--preset", "list"]) == 0
    listed = capsys.readouterr().out
    assert main(["train", "--help"]) == 0
    page = capsys.readouterr().out
    for name, preset in PRESETS.items():
        (line,) = [line for line in listed.splitlines() if line.split()[0] == name]
        assert line.endswith(preset.doc)
        assert line in page
    assert "{list," + ",".join(PRESETS) + "}" in page
    assert ", ".join(DENSITIES) in page


@pytest.mark.parametrize(("data", "preset"), [("ring8", "points"), ("mnist", "digits")])
def test_every_option_of_a_training_has_its_value_and_its_origin(data: str, preset: str) -> None:
    found = rows(data, "--batch", "7", "--d.lr", "0.5")
    config, plain = PRESETS[preset].config, Config()
    for flag in flags_of(Config):
        value = value_of(config, flag.key)
        expected = (shown(value), f"preset {preset}" if value != value_of(plain, flag.key) else "default")
        assert found[flag.name] == {"--batch": ("7", "command line"), "--d.lr": ("0.5", "command line")}.get(flag.name, expected)
    assert found["--preset"] == (preset, "default")
    assert found["--minutes"] == (shown(MINUTES), "default")
    assert found["--samples"] == ("none", "default")


def test_a_length_in_samples_leaves_no_minutes() -> None:
    found = rows("ring8", "--samples", "1e6", "--until-plateau")
    assert found["--minutes"] == ("none", "default")
    assert found["--samples"] == ("1000000", "command line")
    assert found["--until-plateau"] == ("on", "command line")


def test_an_option_equal_to_the_default_is_still_from_the_command_line() -> None:
    assert rows("mnist", "--seed", "0")["--seed"] == ("0", "command line")


def test_a_dry_run_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "ring8", "--dry-run", "--net.width", "8", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "known density" in out.splitlines()[0]
    assert "weights: G " in out
    assert "memory: at most about 100 MB for a step" in out  # so small a net adds nothing
    assert "--net.width" in out
    assert "preset points" in out
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_which_settings_another_kind_of_net_brings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "mnist", "--dry-run", "--net.kind", "mlp", "--data.limit", "512"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("--d.optimiser" in line and "adam" in line and "suits --net.kind mlp" in line for line in lines)
    assert any(("--game.value" in line and "preset digits" in line) or ("--game.value" in line and "default" in line) for line in lines)


def test_a_dry_run_refuses_what_training_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for words, sentence in ((["--net.kind", "dcgan"], "dcgan"), (["--game.value", "hinge", "--game.smoothing", "0.1"], "smoothing")):
        assert main(["train", "ring8", "--dry-run", *words]) == 2
        assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("data", "said"), [("ring8", True), ("mnist", False)])
def test_classes_asked_of_data_without_any_are_answered(data: str, said: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", data, "--net.classes", "auto", "--dry-run"]) == 0
    assert ("no class labels" in capsys.readouterr().err) == said
    assert main(["train", data, "--dry-run"]) == 0
    assert capsys.readouterr().err == ""
