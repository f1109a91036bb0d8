"""Which features are used unasked, and what asking for them does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from zerosum.api import evaluation
from zerosum.api.evaluation import asked_for, evaluate, features_for, recognised
from zerosum.data.mnist import digits
from zerosum.errors import Refusal
from zerosum.measure.features import Digits, Inception, UnavailableFeatures
from zerosum.measure.inception import InceptionNet
from zerosum.measure.weights import VARIABLE

TEST = torch.tensor(digits("t10k")[0])[:, None]
NOISE = torch.randint(0, 256, (500, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
COLOURS = NOISE[:300].reshape(100, 3, 28, 28)


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def find_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the published file lay where tools leave it: no other passes for it."""
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in InceptionNet().state_dict().items()}
    state = {key: torch.zeros(shape) for key, shape in shapes.items()}
    monkeypatch.setattr(evaluation, "find_local", lambda: state)


@pytest.mark.parametrize("part", [TEST[:1000], TEST[5000:5400], TEST[-300:]])
def test_digits_are_recognised(part: Tensor) -> None:
    assert isinstance(features_for("auto", part), Digits)


@pytest.mark.parametrize(
    "other",
    [TEST[:500].flip(3), 255 - TEST[:500], NOISE, TEST[:1].expand(500, -1, -1, -1), TEST[:500, :, :14], TEST[:500].expand(-1, 3, -1, -1)],
)
def test_what_is_no_set_of_digits_is_left_to_a_fresh_d(other: Tensor) -> None:
    assert features_for("auto", other) is None


def test_who_asks_is_obeyed() -> None:
    assert isinstance(features_for("digits", NOISE), Digits)
    assert features_for("fresh", TEST[:500]) is None


@pytest.mark.usefixtures("find_local")
def test_weights_at_hand_are_used_unasked_for_what_is_no_digit() -> None:
    found = features_for("auto", COLOURS, codecs="png/jpeg")
    assert isinstance(found, Inception)
    assert found.label.endswith(", png/jpeg")
    assert isinstance(features_for("auto", TEST[:1000]), Digits)
    assert features_for("fresh", COLOURS) is None
    assert features_for("auto", torch.zeros(20, 2)) is None


@pytest.mark.usefixtures("find_local")
def test_what_a_training_leaves_never_waits_for_inception() -> None:
    assert recognised(COLOURS) is None
    assert recognised(NOISE) is None


def test_nothing_is_downloaded_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pooch.retrieve", lambda *given, **options: pytest.fail("downloaded"))
    assert features_for("auto", COLOURS) is None


def test_a_file_that_is_named_is_a_way_of_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refusal, match=r"There is no file .*nowhere\.pth"):
        asked_for("auto", tmp_path / "nowhere.pth")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere.pth"))
    with pytest.raises(Refusal, match=r"There is no file .*elsewhere\.pth"):
        asked_for("inception")
    assert asked_for("auto") is None
    missing = features_for("auto", COLOURS)
    assert isinstance(missing, UnavailableFeatures)
    assert "elsewhere.pth" in missing.why
    # Digits need no file, whatever the environment names.
    assert isinstance(features_for("auto", TEST[:1000]), Digits)


@pytest.mark.parametrize("choice", ["digits", "fresh"])
def test_a_file_beside_features_that_have_none_is_refused(choice: evaluation.FeatureChoice, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=f"not for `{choice}`"):
        asked_for(choice, tmp_path / "weights.pth")


def test_features_that_were_asked_for_and_cannot_be_had_are_refused_before_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "open_data", lambda *given: pytest.fail("data were read"))
    for weights in (tmp_path / "nowhere.pth", None):
        monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere.pth"))
        with pytest.raises(Refusal, match=r"There is no file .*nowhere\.pth: get "):
            evaluate(COLOURS[:40], COLOURS[40:], features="inception", weights=weights)


def test_a_missing_file_that_the_environment_names_leaves_what_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere.pth"))
    scores = {s.name: s for s in evaluate(COLOURS[:40], COLOURS[40:])}
    assert all("nowhere.pth" in scores[name].note for name in ("frechet", "kid", "precision", "diversity", "two_sample"))
    assert "at least 200" in scores["jsd"].note


def test_the_codecs_are_read_off_the_files(tmp_path: Path) -> None:
    for folder, ending in (("a", "png"), ("b", "jpg")):
        (tmp_path / folder).mkdir()
        for i in range(20):
            Image.fromarray(np.full((8, 8, 3), i, np.uint8)).save(tmp_path / folder / f"{i}.{ending}")
    # A name may lie; the header does not.
    (tmp_path / "b" / "0.jpg").write_bytes((tmp_path / "a" / "0.png").read_bytes())
    data = [evaluation.open_data(tmp_path / folder) for folder in "ab"]
    assert data[1].formats == Counter(JPEG=19, PNG=1)
    assert [evaluation._codec(d) for d in data] == ["png", "jpeg+png"]
    assert evaluation._codec(evaluation.open_data(COLOURS)) == "array"
