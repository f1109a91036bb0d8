"""An independent judge of generated digits: a classifier that the package does not contain, trained here on MNIST's training digits.

    python benchmarks/judge.py RUN [RUN ...] [--n 10000] [--judge runs/judge.safetensors]

It is trained once (about two minutes) and kept in the file of --judge. Of each run it draws --n samples, as `zerosum sample` would, and
prints one line of JSON:

reads the class      share of samples that the judge reads as the class that was asked for (a conditional run)
sure                 share of samples with a largest class probability above .8
frechet, precision, recall, coverage   in the features of the package's own digit classifier, against the 10,000 test digits

The line of real digits comes first: the test digits for the judge, and training digits against test digits for the distance.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from mnist import measured
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import zerosum as zs
from zerosum.chance import generator, key
from zerosum.data.mnist import digits

EPOCHS, BATCH, SURE = 6, 128, 0.8


class Judge(nn.Sequential):
    """Two blocks of two 3 x 3 convolutions with BatchNorm, each followed by max pooling; dropout; a layer of 128 units; ten logits."""

    def __init__(self) -> None:
        def block(last: int, out: int) -> list[nn.Module]:
            convs = [nn.Conv2d(last, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            return [*convs, nn.Conv2d(out, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]

        head = [nn.Flatten(), nn.Dropout(0.4), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10)]
        super().__init__(*block(1, 24), *block(24, 64), *head)


def scaled(images: Tensor) -> Tensor:
    return images[:, None].float() / 127.5 - 1


def trained(seed: int = 0) -> Judge:
    torch.manual_seed(key(seed, "judge"))
    net = Judge().to(memory_format=torch.channels_last).train()
    x, y = (torch.from_numpy(np.array(a)) for a in digits("train"))
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(x), generator=generator(seed, "judge's order", epoch))
        for rows in order[: len(x) // BATCH * BATCH].view(-1, BATCH):
            # Shifts of up to two pixels: a digit's place says nothing of its class.
            shift = torch.randint(-2, 3, (2,), generator=generator(seed, "judge's shift", int(rows[0]))).tolist()
            loss = cross_entropy(net(scaled(x[rows]).roll(shift, (2, 3))), y[rows].long(), label_smoothing=0.02)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def judge(path: Path) -> Judge:
    """The judge in the file, trained and written there where it does not exist."""
    if path.is_file():
        net = Judge()
        net.load_state_dict(load_file(path))
        return net.eval()
    net = trained()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: t.contiguous() for name, t in net.state_dict().items()}, path)
    return net


@torch.inference_mode()
def read(net: Judge, images: np.ndarray) -> tuple[Tensor, Tensor]:
    """The largest class probability of each image (N,), and its class (N,)."""
    found = [net(scaled(part)).softmax(1).max(1) for part in torch.from_numpy(np.array(images)).split(500)]
    return torch.cat([p for p, _ in found]), torch.cat([c for _, c in found])


def verdict(net: Judge, images: np.ndarray, asked: np.ndarray | None) -> dict[str, float]:
    p, c = read(net, images)
    said = {"sure": float((p > SURE).float().mean())}
    return said if asked is None else {"reads the class": float((c == torch.from_numpy(asked)).float().mean()), **said}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--judge", type=Path, default=Path("runs/judge.safetensors"))
    parser.add_argument("--widen", type=float)
    args = parser.parse_args()
    net = judge(args.judge)
    x, y = (np.array(a) for a in digits("t10k"))
    print(json.dumps({"run": "real digits", **verdict(net, x, y.astype(np.int64)), **measured(np.array(digits("train")[0][: args.n]))}))
    for path in args.runs:
        run = zs.load(path)
        asked = np.arange(args.n) % len(run.classes) if run.classes else None
        fakes = run.sample(args.n, y=None if asked is None else asked.tolist(), widen=args.widen)
        seen = run.rows("stop")[-1]
        line = {"run": path.name, "images": seen["samples"], "seconds": seen["seconds"], "seed": run.config.seed}
        print(json.dumps(line | verdict(net, fakes, asked) | measured(fakes)), flush=True)


if __name__ == "__main__":
    main()
