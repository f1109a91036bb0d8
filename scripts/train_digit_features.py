"""Trains the digit classifier whose features zerosum measures digits with, and writes src/zerosum/measure/digits.safetensors.

    python scripts/train_digit_features.py [--out PATH] [--seed 0] [--epochs 10] [--threads 1]

MNIST's 60,000 training digits, each seen once an epoch under a random rotation (+-10 degrees), scale (+-10 %) and shift (+-1.75 pixels);
AdamW under one cycle, cross-entropy with labels smoothed by 0.05, bf16 products. The last epoch is taken: the test digits choose nothing,
and are read once, at the end, for the accuracy that is printed. The same seed, machine, torch and thread count give the same file.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from zerosum.chance import generator, key, uniform
from zerosum.measure.digits import DIGIT_CHANNELS, DigitNet, encode, fold

PACKAGE = Path(__file__).parents[1] / "src" / "zerosum"
BATCH, PEAK_LR, DECAY, SMOOTHING = 128, 4e-3, 1e-2, 0.05


def read_idx(path: Path) -> Tensor:
    """A gzipped idx file as a uint8 tensor: two zero bytes, the type, the number of axes, big-endian sizes, then the values."""
    raw = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return torch.tensor(np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape))


def read_split(folder: Path, name: str) -> tuple[Tensor, Tensor]:
    """Images uint8 (N, 1, 28, 28) and labels int64 (N,) of MNIST's `train` or `t10k`."""
    return read_idx(folder / f"{name}-images-idx3-ubyte.gz")[:, None], read_idx(folder / f"{name}-labels-idx1-ubyte.gz").long()


class NormedDigitNet(DigitNet):
    """The same net with BatchNorm after each convolution, for training."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in DIGIT_CHANNELS)

    def normed(self, layer: int, x: Tensor) -> Tensor:
        y: Tensor = self.norms[layer](x)
        return y


def folded(net: NormedDigitNet) -> DigitNet:
    """The net without BatchNorm that computes what `net` computes in eval mode."""
    plain = DigitNet()
    state = {name: value for name, value in net.state_dict().items() if not name.startswith("norms.")}
    for name, norm in zip(("c1", "c2", "c3", "c4"), net.norms, strict=True):
        convolution = getattr(net, name)
        assert isinstance(norm, nn.BatchNorm2d)
        state[f"{name}.weight"], state[f"{name}.bias"] = fold(convolution, norm)
    plain.load_state_dict(state)
    return plain.eval()


def distorted(x: Tensor, seed: int, step: int) -> Tensor:
    """Each image (N, 1, 28, 28) under its own random affine map; what comes in from outside is background (-1)."""
    u = uniform((len(x), 4), seed, "digit features: distortion", step) - 0.5
    angle, scale, shift = 0.35 * u[:, 0], 1 + 0.2 * u[:, 1], 0.25 * u[:, 2:]
    rows = [
        torch.stack([angle.cos() * scale, -angle.sin() * scale, shift[:, 0]], 1),
        torch.stack([angle.sin() * scale, angle.cos() * scale, shift[:, 1]], 1),
    ]
    return grid_sample(x + 1, affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False), align_corners=False) - 1


@torch.no_grad()
def accuracy(net: DigitNet, images: Tensor, labels: Tensor) -> float:
    guesses = torch.cat([net(encode(chunk)).argmax(1) for chunk in torch.split(images, 500)])
    return float((guesses == labels).double().mean())


def train(images: Tensor, labels: Tensor, seed: int, epochs: int) -> NormedDigitNet:
    torch.manual_seed(key(seed, "digit features: weights"))
    net = NormedDigitNet()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=DECAY, fused=True)
    steps = len(images) // BATCH
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_LR, total_steps=epochs * steps)
    for epoch in range(epochs):
        start, total = time.monotonic(), 0.0
        order = torch.randperm(len(images), generator=generator(seed, "digit features: order", epoch))
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            x = distorted(encode(images[rows]), seed, epoch * steps + step).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                loss = cross_entropy(net(x).float(), labels[rows], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            cycle.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, {time.monotonic() - start:.0f} s", flush=True)
    net.eval()
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mnist", type=Path, default=PACKAGE / "data" / "digits", help="folder of MNIST's four idx.gz files")
    parser.add_argument("--out", type=Path, default=PACKAGE / "measure" / "digits.safetensors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    net = folded(train(*read_split(options.mnist, "train"), options.seed, options.epochs))
    score = accuracy(net, *read_split(options.mnist, "t10k"))
    weights = {name: value.float().contiguous() for name, value in net.state_dict().items()}
    save_file(weights, options.out, metadata={"seed": str(options.seed), "epochs": str(options.epochs), "test_accuracy": f"{score:.4f}"})
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(
        f"test accuracy {100 * score:.2f} %, {options.out.stat().st_size} bytes, SHA-256 {digest}: write the last into measure/features.py"
    )


if __name__ == "__main__":
    main()
