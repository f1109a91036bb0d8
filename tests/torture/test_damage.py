"""Bits flipped in, and truncations of, every file of a checkpoint: the damage is named and the checkpoint before it is used."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from zerosum.chance import normal
from zerosum.runs import checkpoint


def written(run: Path, t: int) -> Path:
    files = {"weights.safetensors": {"G.w": normal((30, 4), 0, "w", t)}, "moments.safetensors": {"g.w.exp_avg": normal((30, 4), 0, "m", t)}}
    return checkpoint.write(run, {"round": t, "samples": 16 * t, "seconds": 0.1 * t, "record_bytes": 10 * t, "horizon": None}, files)


def test_damage_to_a_checkpoint(tally: Any, count: Any, tmp_path: Path) -> None:
    written(tmp_path, 1)
    last = written(tmp_path, 2)
    meaning = checkpoint.verified(last).meta
    chosen, injected, survived = random.Random(0), 0, 0
    for file in sorted(last.iterdir()):
        whole = file.read_bytes()
        bits = chosen.sample(range(8 * len(whole)), min(count(2000, 60), 8 * len(whole)))
        damaged = [whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :] for bit in bits]
        damaged += [whole[:n] for n in chosen.sample(range(len(whole)), min(count(500, 20), len(whole)))]
        for content in damaged:
            file.write_bytes(content)
            found, complaints = checkpoint.newest(tmp_path)
            assert found is not None
            if found.round == 2:
                # A flip among the manifest's blanks changes nothing that it says.
                assert file.name == "manifest.json"
                assert found.meta == meaning
            else:
                assert found.round == 1
                assert [str(last) in sentence and "damaged" in sentence for sentence in complaints] == [True]
            injected, survived = injected + 1, survived + 1
        file.write_bytes(whole)
    assert checkpoint.newest(tmp_path)[0] is not None
    assert injected > 200
    tally.add(injected, survived)
