"""What a training's start does not wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TRAINING = """
import sys, torch
from pathlib import Path
from zerosum.data.source import open_data
from zerosum.training import launch
from zerosum.play.config import Config, NetOptions, PlayerOptions, PriorOptions
pixels = torch.randint(0, 256, (40, 12, 12), dtype=torch.uint8).numpy()
muon = PlayerOptions(optimiser="muon")
net = NetOptions(kind="dcgan", width=4, norm="none", hidden=8)
config = Config(prior=PriorOptions(dim=4), net=net, d=muon, batch=8, threads=1, device="cpu", precision="bf16")
run = launch.train(open_data(pixels), Path(sys.argv[1]) / "a", config, samples=16)
assert run.sample(2).shape == (2, 12, 12)
found = {"torch._dynamo", "sympy"} & sys.modules.keys()
assert not found, found
"""


def test_neither_training_nor_sampling_loads_torchs_compiler(tmp_path: Path) -> None:
    """It takes longer than all else before the first round; torch.optim, the meta device and some ways to call autograd load it."""
    subprocess.run([sys.executable, "-c", TRAINING, str(tmp_path)], check=True)
