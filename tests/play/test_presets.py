"""Changing the kind of net of a preset brings the settings that suit the new kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zerosum.nets import NETS
from zerosum.play.presets import PRESETS, SUITED, default_preset, with_net


def test_every_kind_of_net_has_settings_that_suit_it() -> None:
    assert SUITED.keys() == NETS.keys()
    for kind, config in SUITED.items():
        assert config.net.kind == kind


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_another_kind_takes_its_own_optimisers_and_leaves_the_game(preset: str, kind: str) -> None:
    config = PRESETS[preset].config
    changed = with_net(config, kind)
    if kind == config.net.kind:
        assert changed == config
        return
    suited = SUITED[kind]
    assert (changed.net, changed.d, changed.g, changed.batch, changed.average) == (
        replace(suited.net, classes=config.net.classes),
        suited.d,
        suited.g,
        suited.batch,
        suited.average,
    )
    assert (changed.game, changed.prior) == (config.game, config.prior)


def test_perceptrons_on_digits_do_not_learn_at_the_rates_of_convolutions() -> None:
    """Muon at 0.04, tuned for convolutions, turned perceptrons into 64 identical images."""
    changed = with_net(PRESETS["digits"].config, "mlp")
    assert (changed.d.optimiser, changed.g.optimiser) == ("adam", "adam")
    assert changed.d.lr <= 1e-3


def test_an_unknown_kind_is_left_to_the_check_of_options() -> None:
    config = PRESETS["digits"].config
    assert with_net(config, "transformer") is config
    assert with_net(replace(config, batch=7), None).batch == 7


def test_small_grey_images_without_labels_have_a_preset_of_their_own() -> None:
    def never() -> bool:
        raise AssertionError("asked where it does not matter")

    assert default_preset("images", (1, 28, 28)) == "digits"
    assert default_preset("images", (1, 28, 28), lambda: False) == "digits-unlabelled"
    assert default_preset("images", (3, 28, 28), never) == "images"
    assert default_preset("points", (2,), never) == "points"
    labelled, unlabelled = PRESETS["digits"].config, PRESETS["digits-unlabelled"].config
    assert replace(labelled, game=unlabelled.game) == unlabelled
    assert unlabelled.game.gamma > labelled.game.gamma
