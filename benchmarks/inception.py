"""Is the inception network the field's? Held against torch-fidelity's (Apache-2.0), both with the same random weights.

    pip download torch-fidelity --no-deps && unzip torch_fidelity-*.whl -d FOLDER
    python benchmarks/inception.py FOLDER [--json]

FOLDER holds the package torch_fidelity; its modules that need no torchvision are imported from there, and nothing is installed. For images
of several sizes, in float32 and float64: the largest difference of the resized pixels (0..255), and of the 2,048 features beside their
own largest value. Then images a second of ours, on as many threads as torch takes.

Its resize computes coordinates in the dtype of the image, ours in float32 as TensorFlow does, so in float64 the features are compared on
images that need none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from zerosum.chance import key, normal, uniform
from zerosum.measure.features import Inception
from zerosum.measure.inception import INPUT_SIDE, InceptionNet, encode
from zerosum.measure.resize import tf1_bilinear

SIZES = [(8, 8), (32, 32), (64, 48), (299, 299), (350, 350)]


def random_state(seed: int = 0) -> dict[str, Tensor]:
    """Weights under which features stay of order one and depend on every layer: He's for convolutions, BatchNorm's near the identity."""
    with torch.device("meta"):
        empty = InceptionNet().state_dict()
    return {name: _values(name, tuple(value.shape), seed) for name, value in empty.items()}


def _values(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if name.endswith(("running_var", "bn.weight")):
        return uniform(shape, seed, name) / 2 + 0.75
    if name.endswith("conv.weight"):
        return normal(shape, seed, name) * (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
    return normal(shape, seed, name) / 10


def random_images(count: int, height: int, width: int) -> Tensor:
    """uint8 (count, 3, height, width)."""
    drawn = torch.Generator().manual_seed(key(0, f"images {height}x{width}"))
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=drawn)


def theirs(folder: Path, state: dict[str, Tensor]) -> tuple[Any, Any]:
    """Their extractor with these weights, and their resize. The package's own __init__, which wants torchvision, is passed over."""
    package = ModuleType("torch_fidelity")
    package.__path__ = [str(folder / "torch_fidelity")]
    sys.modules["torch_fidelity"] = package
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "random.pth"
        torch.save(state, file)
        extractor = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(file))
    return extractor, interpolate_bilinear_2d_like_tensorflow1x


def compared(folder: Path) -> list[dict[str, Any]]:
    """A row a size and dtype."""
    state = random_state()
    extractor, resize = theirs(folder, state)
    ours, net = Inception(state), InceptionNet().eval()
    net.load_state_dict(state)
    rows = []
    with torch.inference_mode():
        for height, width in SIZES:
            x = random_images(2, height, width)
            expected, found = extractor(x)[0], ours(x)
            plain = net.features(encode(tf1_bilinear(x.float(), INPUT_SIDE)))
            pixels = _apart(resize(x.float(), size=(INPUT_SIDE, INPUT_SIDE), align_corners=False), tf1_bilinear(x.float(), INPUT_SIDE))
            rows.append(_row("float32", (height, width), pixels, found, expected) | {"before_folding": _apart(plain, expected)})
        x = random_images(2, INPUT_SIDE, INPUT_SIDE)
        extractor.double().feature_extractor_internal_dtype = torch.float64
        pooled: list[Tensor] = []
        # Its answer is float32 whatever it computes in.
        extractor.AvgPool.register_forward_hook(lambda module, given, out: pooled.append(out.flatten(1)))
        extractor(x)
        rows.append(_row("float64", (INPUT_SIDE, INPUT_SIDE), 0.0, net.double().features(encode(x.double())), pooled[0]))
    return rows


def _row(dtype: str, size: tuple[int, int], pixels: float, found: Tensor, expected: Tensor) -> dict[str, Any]:
    assert str(expected.dtype) == f"torch.{dtype}", expected.dtype
    return {
        "dtype": dtype,
        "size": f"{size[0]}x{size[1]}",
        "pixels": pixels,
        "features": _apart(found, expected),
        "largest": float(expected.abs().max()),
        "first": [round(float(v), 6) for v in expected[0, :4]],
    }


def _apart(x: Tensor, y: Tensor) -> float:
    return float((x - y).abs().max())


def speed(images: int = 64, repeats: int = 5) -> dict[str, Any]:
    """Images of 64 x 64 a second, median of several goes."""
    ours, x = Inception(random_state()), random_images(images, 64, 64)
    ours(x[:16])
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        ours(x)
        rates.append(images / (time.perf_counter() - start))
    return {"images_a_second": sorted(rates)[repeats // 2], "all": rates, "threads": torch.get_num_threads()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for row in [*compared(args.folder), speed()]:
        print(json.dumps(row) if args.json else "  ".join(f"{name} {value}" for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
