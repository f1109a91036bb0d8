from importlib.resources import files
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from zerosum.chance import generator
from zerosum.data.mnist import digits as mnist
from zerosum.errors import Refusal
from zerosum.measure.digits import DigitNet, fold
from zerosum.measure.features import DIGITS_SHA256, FEATURES, Digits, features

TEST, LABELS = (torch.tensor(t) for t in mnist("t10k"))
IMAGES = TEST[:, None]


def digits() -> Digits:
    found = features("digits")
    assert isinstance(found, Digits)
    return found


def test_the_weights_are_small_and_known() -> None:
    weights = files("zerosum.measure").joinpath("digits.safetensors").read_bytes()
    assert len(weights) <= 2**20
    assert digits().hash == DIGITS_SHA256
    assert digits().label == f"digits:{DIGITS_SHA256[:12]}"


def test_it_reads_digits() -> None:
    # 99.64 % on all 10,000; the first 2,000, which are the harder half's, to keep the test quick.
    right = (digits().guesses(IMAGES[:2000]) == LABELS[:2000]).double().mean()
    assert float(right) >= 0.993


def test_features_are_a_function_of_the_sample_alone() -> None:
    extractor = digits()
    whole = extractor(IMAGES[:301])
    assert whole.shape == (301, extractor.dim)
    assert whole.dtype == torch.float32
    assert not whole.requires_grad
    assert_close(extractor(IMAGES[300:301]), whole[300:], atol=1e-4, rtol=1e-5)
    order = torch.randperm(301, generator=generator(0, "order"))
    assert_close(extractor(IMAGES[:301][order]), whole[order], atol=1e-4, rtol=1e-5)
    rows, guesses = extractor.of(IMAGES[:301])
    assert_close(rows, whole)
    assert_close(guesses, extractor.guesses(IMAGES[:301]))


def test_folding_batchnorm_changes_nothing() -> None:
    torch_generator = generator(0, "fold")
    convolution, norm = torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3).eval()
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            assert tensor is not None
            tensor.normal_(generator=torch_generator)
        assert norm.running_var is not None
        norm.running_var.uniform_(0.5, 2, generator=torch_generator)
        x = torch.randn(4, 2, 6, 6, generator=torch_generator)
        assert_close(torch.nn.functional.conv2d(x, *fold(convolution, norm)), norm(convolution(x)))


def test_the_net_has_the_stated_shapes() -> None:
    net = DigitNet()
    assert net.features(torch.zeros(2, 1, 28, 28)).shape == (2, 128)
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_raw_leaves_points_as_they_are() -> None:
    raw = features("raw")
    assert raw.label == raw.hash == "raw"
    assert_close(raw(torch.tensor([[1.0, 2.0]])), torch.tensor([[1.0, 2.0]]))
    with pytest.raises(Refusal, match="for points"):
        raw(IMAGES[:2])


@pytest.mark.parametrize(
    "images", [IMAGES[:2].float(), torch.zeros(2, 3, 28, 28, dtype=torch.uint8), torch.zeros(2, 1, 32, 32, dtype=torch.uint8), IMAGES[:0]]
)
def test_what_is_no_digit_image_is_refused(images: torch.Tensor) -> None:
    with pytest.raises(Refusal, match=r"[dD]igit features") as refusal:
        digits()(images)
    assert str(refusal.value).endswith(".")


def test_changed_weights_an_unknown_name_and_missing_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="SHA-256"):
        Digits(b"not the weights")
    with pytest.raises(Refusal, match="Did you mean digits"):
        features("digit")
    with pytest.raises(Refusal, match=r"no file .*nowhere"):
        features("inception", tmp_path / "nowhere")
    assert set(FEATURES) == {"raw", "digits", "inception"}
