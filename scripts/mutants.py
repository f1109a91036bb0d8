"""Apply faults to the mathematics of the game, one at a time, and see which checks notice: `make mutants`.

Each mutant replaces one piece of text in a copy of src/. It must occur exactly once there, so that a change of the code cannot silently
disable a mutant. `zerosum prove --quick` runs on each copy, and then the tests of the rooms that contain the game's mathematics, up to
the first that fails. A mutant is caught where either ends with another exit status than 0.

    python scripts/mutants.py                 all, with both checks
    python scripts/mutants.py --prove-only    the quick proofs alone
    python scripts/mutants.py NAME ...        some
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROVE_MUST = 28
TESTS = ["game", "theory", "engine", "play", "nets", "study/test_proofs_of_code.py"]

# name -> (file, text, replacement)
MUTANTS: dict[str, tuple[str, str, str]] = {
    "V's sign in G(z)": ("game/value.py", "    return softplus(-a) + softplus(b)", "    return softplus(-a) + softplus(-b)"),
    "minimax: G's sign": ("game/value.py", "g=lambda a, b: -softplus(b),", "g=lambda a, b: softplus(b),"),
    "non-saturating: G's sign": ("game/value.py", "g=lambda a, b: softplus(-b),", "g=lambda a, b: softplus(b),"),
    "least squares: no 1/2": ("game/value.py", "d=lambda a, b: ((a - 1) ** 2 + b**2) / 2,", "d=lambda a, b: (a - 1) ** 2 + b**2,"),
    "least squares: G's target": ("game/value.py", "g=lambda a, b: (b - 1) ** 2 / 2,", "g=lambda a, b: (b + 1) ** 2 / 2,"),
    "wasserstein: a and b swapped": ("game/value.py", "d=lambda a, b: b - a,", "d=lambda a, b: a - b,"),
    "hinge: margin on the wrong side": ("game/value.py", "relu(1 - a) + relu(1 + b)", "relu(1 + a) + relu(1 - b)"),
    "relativistic: a and b swapped": ("game/value.py", "d=lambda a, b: softplus(b - a),", "d=lambda a, b: softplus(a - b),"),
    "slope of V by a": ("game/value.py", "return -torch.sigmoid(-a), torch.sigmoid(b)", "return -torch.sigmoid(a), torch.sigmoid(b)"),
    "slope of G, non-saturating": ("game/value.py", "g_slope=lambda a, b: -torch.sigmoid(-b),", "g_slope=lambda a, b: -torch.sigmoid(b),"),
    "slope of G, relativistic": (
        "game/value.py",
        "g_slope=lambda a, b: -torch.sigmoid(a - b),",
        "g_slope=lambda a, b: -torch.sigmoid(b - a),",
    ),
    "smoothing in the loss": ("game/value.py", "value.d(a, b) + s * a, d_slopes", "value.d(a, b) - s * a, d_slopes"),
    "smoothing in the slope": ("game/value.py", "return by_a + s, by_b", "return by_a, by_b"),
    "R1 at the wrong place": ("game/penalty.py", "real=True, source=_R1)", "fake=True, source=_R1)"),
    "norm not squared": ("game/penalty.py", ".square().flatten(1).sum(1)", ".abs().flatten(1).sum(1)"),
    "gp: norm towards 0": ("game/penalty.py", "return ((s + 1e-12).sqrt() - 1) ** 2", "return ((s + 1e-12).sqrt() - 0) ** 2"),
    "gp: slope": ("game/penalty.py", "return 1 - (s + 1e-12).rsqrt()", "return 1 + (s + 1e-12).rsqrt()"),
    "epsilon on the wrong side": ("game/penalty.py", "weight * x + (1 - weight) * fake", "weight * fake + (1 - weight) * x"),
    "gamma not halved": ("game/losses.py", "gamma / 2 * penalty.of_square", "gamma * penalty.of_square"),
    "D's loss: sides swapped": ("game/losses.py", "loss = value.d(a, b).mean()", "loss = value.d(b, a).mean()"),
    "G's loss: sum for mean": (
        "game/losses.py",
        "return GeneratorLoss(value.g(a, b).mean(), b.detach())",
        "return GeneratorLoss(value.g(a, b).sum(), b.detach())",
    ),
    "D's loss reaches G": ("game/losses.py", "x, fake = x.detach(), fake.detach()", "x, fake = x.detach(), fake.clone()"),
    "closed form: gamma halved twice": ("engine/closed_form.py", "v = (gamma / n * by_square", "v = (gamma / 2 / n * by_square"),
    "closed form: R1 and R2 swapped": (
        "engine/closed_form.py",
        "enumerate((penalty.real, penalty.fake, penalty.between))",
        "enumerate((penalty.fake, penalty.real, penalty.between))",
    ),
    "closed form: slope at the points between": (
        "engine/closed_form.py",
        "[torch.zeros_like(a)] if len(batch) > 2 * n",
        "[torch.ones_like(a)] if len(batch) > 2 * n",
    ),
    "closed form: G against itself": ("engine/closed_form.py", "a = logits[n:] if paired", "a = logits[:n] if paired"),
    "closed form: leaky slope forgotten": (
        "engine/layers.py",
        "return None if t is None else self._times_s(t, self.out[slopes.rows])",
        "return t",
    ),
    "closed form: the head without the tangent": ("engine/passes.py", "last = last + flat(t).to(slope.dtype).sum(0)", "last = last + 0"),
    "closed form: labels of the embedding's gradient": (
        "engine/passes.py",
        ".index_add_(0, self.y, each)",
        ".index_add_(0, self.y.flip(0), each)",
    ),
    "a lost label in G's gradient": (
        "engine/backend.py",
        "return ahead[1] if ahead is not None and ahead[0] is z else self.networks.G(z, y)",
        "return ahead[1] if ahead is not None and ahead[0] is z else self.networks.G(z, None if y is None else 0 * y)",
    ),
    "labels of the other half": ("engine/networks.py", "y.repeat(n // len(y))", "y.flip(0).repeat(n // len(y))"),
    "k off by one": ("play/step.py", "for j in range(game.k):", "for j in range(max(1, game.k - 1)):"),
    "D's learning rate for G": ("play/step.py", 'self._update("g", numbers.lr_g)', 'self._update("g", numbers.lr_d)'),
    "D moves before G's gradient in simultaneous play": (
        "play/step.py",
        'if not (last and game.order == "simultaneous"):',
        "if True:",
    ),
    "EMA of the wrong side": ("play/step.py", "self.players.ema.update(numbers.ema_keep)", "self.players.ema.update(1 - numbers.ema_keep)"),
    "EMA: half-life in e-folds": ("nets/ema.py", "0.5 ** (", "0.36787944 ** ("),
    "one noise for both players": ("play/inputs.py", 'self._noise("G", step)', 'self._noise("D", step)'),
    "epsilon shared by a batch": (
        "play/inputs.py",
        "uniform(all_rows, self.config.seed, purpose, step)[rows]",
        "uniform(all_rows, self.config.seed, purpose, step)[:1].expand(all_rows)[rows]",
    ),
    "the same real samples at each step of D": (
        "play/inputs.py",
        "self.config.batch, self.config.seed, step)\n        return Batch",
        "self.config.batch, self.config.seed, 0)\n        return Batch",
    ),
    "cosine of twice the time": ("play/schedule.py", "cos(pi * progress)", "cos(2 * pi * progress)"),
}


def copied(folder: Path) -> Path:
    """A copy of src/ whose large files are links."""
    source = folder / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__", "digits", "*.safetensors"))
    for large in [*(ROOT / "src").rglob("*.safetensors"), ROOT / "src/zerosum/data/digits"]:
        (source / large.relative_to(ROOT / "src")).symlink_to(large)
    return source


def apply(source: Path, file: str, text: str, replacement: str) -> None:
    """Write the fault into the copy. Exits where the text does not occur exactly once."""
    path = source / "zerosum" / file
    content = path.read_text()
    if content.count(text) != 1:
        sys.exit(f"{file} contains {text!r} {content.count(text)} times: the mutant must be brought up to date.")
    path.write_text(content.replace(text, replacement))


def fails(source: Path, *words: str) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, timeout=1200)
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(MUTANTS))
    parser.add_argument("--prove-only", action="store_true")
    args = parser.parse_args()
    proved, tested = 0, 0
    for name in args.names:
        with tempfile.TemporaryDirectory() as folder:
            source = copied(Path(folder))
            apply(source, *MUTANTS[name])
            by_proof = fails(source, "-m", "zerosum", "prove", "--quick", "--json")
            paths = [str(ROOT / "tests" / test) for test in TESTS]
            by_tests = not args.prove_only and fails(source, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths)
        proved, tested = proved + by_proof, tested + by_tests
        seen = f"prove {'catches' if by_proof else 'MISSES'}" + ("" if args.prove_only else f", tests {'catch' if by_tests else 'MISS'}")
        print(f"{name:48} {seen}", flush=True)
    many = len(args.names)
    print(f"prove --quick caught {proved} of {many}" + ("." if args.prove_only else f", the tests {tested} of {many}."))
    enough = proved >= min(PROVE_MUST, many) and (args.prove_only or tested == many)
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
