"""A GAN on MNIST in plain PyTorch: python examples/mnist_gan.py FOLDER --minutes 3. Chapter 5 of docs/course explains each line."""

import argparse
import copy
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

Z, BATCH, LR, BETAS, KEEP = 64, 64, 3e-4, (0.5, 0.999), 0.998


def read_images(folder):
    raw = gzip.decompress((Path(folder) / "train-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784)
    return torch.from_numpy(pixels.copy()).float() / 127.5 - 1  # 0..255 -> [-1, 1], as Tanh


def make_generator():
    layers = [nn.Linear(Z, 256), nn.BatchNorm1d(256), nn.PReLU(), nn.Linear(256, 512), nn.BatchNorm1d(512), nn.PReLU()]
    return nn.Sequential(*layers, nn.Linear(512, 784), nn.Tanh())


def make_discriminator():
    layers = [nn.Linear(784, 512), nn.LeakyReLU(0.01), nn.Dropout(0.3), nn.Linear(512, 256), nn.LeakyReLU(0.01), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Linear(256, 1))  # a logit: the Sigmoid is inside the loss


def train(x, seconds, most_steps=10**9, seed=0):
    torch.manual_seed(seed)
    G, D = make_generator(), make_discriminator()
    average = copy.deepcopy(G)
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), LR, BETAS) for net in (G, D))
    bce, real, generated = nn.BCEWithLogitsLoss(), torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    end, step = time.monotonic() + seconds, 0
    while time.monotonic() < end and step < most_steps:
        fake = G(torch.randn(BATCH, Z))
        # D: label 1 for real samples, 0 for generated ones. detach() freezes G.
        batch = x[torch.randint(len(x), (BATCH,))]
        loss_d = bce(D(batch), real) + bce(D(fake.detach()), generated)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        # G: make D answer 1. Only G's optimiser takes a step, so D is frozen.
        loss_g = bce(D(fake), real)
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        step += 1
        for slow, fast in zip(average.state_dict().values(), G.state_dict().values(), strict=True):
            slow.lerp_(fast, 1 - KEEP) if slow.is_floating_point() else slow.copy_(fast)
    return average.eval(), step


@torch.no_grad()
def draw(G, n=8):
    x = (G(torch.randn(n * n, Z)) + 1) * 127.5
    return x.round().byte().view(n, n, 28, 28).transpose(1, 2).reshape(n * 28, n * 28).numpy()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", help="of train-images-idx3-ubyte.gz")
    options.add_argument("--minutes", type=float, default=3.0)
    options.add_argument("--out", default="mnist_gan.png")
    given = options.parse_args()
    G, steps = train(read_images(given.folder), 60 * given.minutes)
    Image.fromarray(draw(G)).resize((448, 448)).save(given.out)
    print(f"{steps:,} steps; {given.out} has 64 digits")
