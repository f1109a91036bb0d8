"""The network of 2015-12-05, with random weights: its shape, its pools, and the features that another implementation gave."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch.testing import assert_close

from zerosum.chance import normal
from zerosum.data.mnist import digits
from zerosum.errors import Refusal
from zerosum.measure.evaluation import evaluate_images, evaluate_sets
from zerosum.measure.features import Inception, UnavailableFeatures
from zerosum.measure.frechet import moments
from zerosum.measure.inception import INCEPTION_BLOCKS, Convolution, ConvSpec, InceptionNet, average, encode, fitted, halved, maximum
from zerosum.measure.resize import tf1_bilinear
from zerosum.measure.weights import FID_2015

NUMBERS = torch.tensor(digits("t10k")[0][:60])[:, None]


@pytest.fixture(scope="module")
def inception(state: dict[str, Tensor]) -> Inception:
    return Inception(state)


class Cheap(Inception):
    """Inception at a quarter of the side: the same weights and the same way, a sixteenth of the work."""

    chunk = 8

    def __call__(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            return self._net.features(encode(tf1_bilinear(images.float().repeat(1, 3, 1, 1), 75))).clone()


def test_it_has_the_published_keys_and_sizes() -> None:
    with torch.device("meta"):
        net = InceptionNet()
    parameters = dict(net.named_parameters())
    assert sum(p.numel() for p in parameters.values()) == 23_850_960
    # 94 convolutions with BatchNorm's scale and shift, and the head.
    assert len(parameters) == 94 * 3 + 2
    assert tuple(parameters["fc.weight"].shape) == (1_008, 2_048)
    keys = {key.rpartition(".")[2] for key in net.state_dict()}
    assert keys == {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    for key, shape in {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_4a_3x3.bn.running_var": (192,),
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
    }.items():
        assert tuple(net.state_dict()[key].shape) == shape


def test_the_grids_are_those_of_table_1() -> None:
    seen: dict[str, tuple[int, ...]] = {}
    with torch.device("meta"):
        net = InceptionNet()
        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3", *INCEPTION_BLOCKS):
            net.get_submodule(name).register_forward_hook(lambda _, x, y, name=name: seen.update({name: tuple(y.shape[1:])}))
        assert net(torch.empty(2, 3, 299, 299)).shape == (2, 1_008)
    assert list(seen.values()) == [
        (32, 149, 149),
        (32, 147, 147),
        (64, 147, 147),
        (80, 73, 73),
        (192, 71, 71),
        (256, 35, 35),
        *[(288, 35, 35)] * 2,
        *[(768, 17, 17)] * 5,
        (1_280, 8, 8),
        *[(2_048, 8, 8)] * 2,
    ]


def test_averages_leave_the_padding_out() -> None:
    assert_close(average(torch.full((1, 2, 5, 5), 3.0)), torch.full((1, 2, 5, 5), 3.0))
    corner = torch.zeros(1, 1, 4, 4)
    corner[0, 0, 0, 0] = 1
    assert_close(average(corner)[0, 0, :2, :2], torch.tensor([[1 / 4, 1 / 6], [1 / 6, 1 / 9]]))
    assert_close(maximum(-corner)[0, 0, 0], torch.zeros(4))
    assert halved(torch.zeros(1, 1, 147, 147)).shape[2:] == (73, 73)


def test_only_the_last_block_pools_by_maximum() -> None:
    pools = {name: block.pool for name, block in INCEPTION_BLOCKS.items()}
    assert [name for name, pool in pools.items() if pool is maximum] == ["Mixed_7c"]
    assert [name for name, pool in pools.items() if pool is halved] == ["Mixed_6a", "Mixed_7a"]
    assert sum(pool is average for pool in pools.values()) == 8


def test_a_convolution_is_normed_by_its_statistics_and_folding_changes_nothing() -> None:
    x = normal((2, 3, 7, 7), 0, "x")
    layer = Convolution(3, ConvSpec("a", 4, (1, 7))).eval()
    with torch.no_grad():
        for i, tensor in enumerate(layer.state_dict().values()):
            if tensor.is_floating_point():
                tensor.copy_(normal(tuple(tensor.shape), i, "weights").abs() / 10)
        mean, variance, gain, shift = (
            layer.state_dict()[f"bn.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
        )
        z = conv2d(x, layer.conv.weight, padding=(0, 3))
        expected = torch.relu((z - mean) / (variance + 1e-3).sqrt() * gain + shift)
        assert_close(layer(x), expected)
        layer.fold()
        assert_close(layer(x), expected)


# What torch-fidelity 0.4.0 gives with these weights and images: `python benchmarks/inception.py FOLDER`, the first four features.
THEIRS = {
    (8, 8): [0.566634, 0.0, 0.026805, 1.175241],
    (64, 48): [0.700468, 0.0, 0.046759, 1.352402],
    (350, 350): [0.835371, 0.0, 0.055374, 1.236801],
}


@pytest.mark.parametrize("size", THEIRS)
def test_features_agree_with_another_implementations(inception: Inception, oracle: ModuleType, size: tuple[int, int]) -> None:
    found = inception(oracle.random_images(2, *size)[:1])
    assert found.shape == (1, inception.dim)
    assert found.dtype == torch.float32
    assert_close(found[0, :4], torch.tensor(THEIRS[size]), atol=2e-5, rtol=0)


def test_features_are_a_function_of_the_sample_alone(inception: Inception, oracle: ModuleType) -> None:
    images = oracle.random_images(3, 32, 32)
    whole = inception(images)
    assert not whole.requires_grad
    inception.chunk = 2
    try:
        assert_close(inception(images), whole, atol=1e-4, rtol=1e-5)
        assert_close(inception(images[2:]), whole[2:], atol=1e-4, rtol=1e-5)
    finally:
        del inception.chunk


def test_features_stream_into_moments(inception: Inception, oracle: ModuleType) -> None:
    images = oracle.random_images(3, 32, 32)
    stream = moments(inception(one)[:, :64] for one in torch.split(images, 1))
    mean, covariance = stream.mean_and_covariance()
    rows = inception(images)[:, :64].double()
    assert_close(mean, rows.mean(0), atol=1e-5, rtol=0)
    assert_close(covariance.diagonal(), rows.var(0), atol=1e-4, rtol=1e-4)


def test_the_label_says_how_features_were_taken(state: dict[str, Tensor]) -> None:
    known = Inception(state)
    assert known.label == "inception:6726825d0af5 tf1-bilinear 299, 8 bit, array/array"
    known.codecs = "png/jpeg"
    assert known.label.endswith(", png/jpeg")
    assert Inception(state, "ab" * 32).label.startswith("inception:abababababab ")
    assert known.hash == FID_2015.sha256


def test_other_weights_are_refused(state: dict[str, Tensor]) -> None:
    with pytest.raises(Refusal, match=r"1 keys too many or too few, such as fc\.bias"):
        fitted({key: value for key, value in state.items() if key != "fc.bias"})
    with pytest.raises(Refusal, match="other shapes"):
        fitted({**state, "fc.bias": torch.zeros(1_000)})
    counted = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert len(counted) == 94 * 5 + 2
    fitted(counted)


def test_no_global_draw_is_spent(state: dict[str, Tensor]) -> None:
    before = torch.get_rng_state()
    fitted(state)
    assert_close(torch.get_rng_state(), before)


def test_two_parts_of_one_set_come_out_at_the_floor_and_frechet_says_how_many_it_needs(state: dict[str, Tensor]) -> None:
    scores = {s.name: s for s in evaluate_sets(NUMBERS[:30], NUMBERS[30:], Cheap(state), only=["frechet", "kid", "prdc"])}
    assert scores["frechet"].refused
    assert (
        scores["frechet"].note == "A Frechet distance in 2048 features needs at least 4096 generated samples, and there are 30: give more."
    )
    kid = scores["kid"]
    assert kid.low is not None
    assert kid.high is not None
    assert kid.low < 0 < kid.high
    assert kid.features == Inception(state).label
    assert not any(scores[name].refused for name in ("precision", "recall", "density", "coverage"))


def test_features_that_cannot_be_had_refuse_what_looks_at_them_alone() -> None:
    only = ["frechet", "kid", "classes", "memorisation"]
    scores = evaluate_images(NUMBERS[:20], NUMBERS[20:40], NUMBERS[20:], UnavailableFeatures("inception", "There is no file x."), only=only)
    refused = {s.name: s for s in scores if s.refused}
    assert refused.keys() == {"frechet", "frechet_corrected", "kid"}
    assert {(s.note, s.features) for s in refused.values()} == {("There is no file x.", "inception")}
    assert {s.name for s in scores} - refused.keys() == {"memory_distance", "memory_held_out", "memory_copies"}
