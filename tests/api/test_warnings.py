"""What a user is told of their data before a training begins, and which augmentation is chosen by their number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zerosum.api.warnings import FEW_IMAGES, warnings
from zerosum.chance import normal
from zerosum.data.source import Data, open_data
from zerosum.play.presets import FEW_IMAGES as AUGMENTED_BELOW
from zerosum.play.presets import PRESETS, suited


def images(n: int, y: np.ndarray | None = None) -> Data:
    x = (normal((n, 8, 8), 0, "x") * 40 + 128).clamp(0, 255).byte().numpy()
    return open_data(x if y is None else (x, y))


def test_few_images_are_warned_about() -> None:
    config = PRESETS["images"].config
    assert any("fewer than 100" in sentence for sentence in warnings(images(60), config))
    assert warnings(images(2 * FEW_IMAGES), config) == []
    assert warnings(open_data(normal((60, 2), 0, "x").numpy()), config) == []


def test_small_and_missing_classes_are_named() -> None:
    y = np.array([0] * 300 + [1] * 5 + [2])
    (sentence,) = [s for s in warnings(images(306, y), PRESETS["images"].config) if "fewer than 10" in s]
    assert "1 (" in sentence
    assert "--net.classes none" in sentence
    unconditional = replace(PRESETS["images"].config, net=replace(PRESETS["images"].config.net, classes="none"))
    assert warnings(images(306, y), unconditional) == []


def test_labels_that_were_asked_for_and_are_missing() -> None:
    assert any("no class labels" in s for s in warnings(images(200), PRESETS["images"].config, "auto"))


@pytest.mark.parametrize(("n", "chosen"), [(AUGMENTED_BELOW - 1, "diffaugment"), (AUGMENTED_BELOW, "none"), (None, "none")])
def test_small_sets_of_images_are_augmented_unless_the_user_says_so(n: int | None, chosen: str) -> None:
    config, space = PRESETS["images"].config, images(200).space
    assert suited(config, space, n).game.augment == chosen
    given = replace(config, game=replace(config.game, augment="ada"))
    assert suited(given, space, n) == given


def test_points_are_never_augmented() -> None:
    config = replace(PRESETS["points"].config, game=replace(PRESETS["points"].config.game, augment="auto"))
    assert suited(config, open_data("ring8").space, None).game.augment == "none"
