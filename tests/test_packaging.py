"""What an installation carries, and what it is pinned to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    (built,) = folder.glob("zerosum-*.whl")
    return built


def test_the_wheel_carries_everything_that_the_source_has(wheel: Path) -> None:
    source = {str(p.relative_to(ROOT / "src")) for p in (ROOT / "src").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    assert source - carried == set()
    for name in ("data/digits/train-images-idx3-ubyte.gz", "measure/digits.safetensors", "py.typed"):
        assert f"zerosum/{name}" in carried
    assert any(name.startswith("zerosum/report/templates/") for name in carried)
    assert any(re.fullmatch(r"zerosum-.*\.dist-info/licenses/LICENSE", name) for name in carried)
    assert wheel.stat().st_size < 14 << 20


def test_a_wheel_alone_trains_the_digits_and_shows_them(wheel: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(alone)
    # -P and PYTHONPATH: only this copy of zerosum is found first; its dependencies come from the environment of the tests.
    code = (
        f"import sys, zerosum; assert zerosum.__file__.startswith({str(alone)!r}); from zerosum.commands.cli import main; sys.exit(main())"
    )
    options = ["--samples", "64", "--batch", "32", "--net.kind", "mlp", "--net.width", "8", "--data.limit", "512", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "train", "mnist", *options, "--out", "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(alone), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "grid.png").exists()
    assert (tmp_path / "run" / "report.html").exists()


def test_every_dependency_is_pinned_to_a_version_that_it_allows() -> None:
    stated = project()
    groups = [stated["dependencies"], *stated["optional-dependencies"].values()]
    pinned = pins()
    for line in (line for group in groups for line in group):
        requirement = Requirement(line)
        if requirement.name == "zerosum":
            continue
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), line
        assert "+" not in version, "a pin on one build of a package cannot be met elsewhere"


def test_the_set_up_names_no_package_index() -> None:
    for name in ("pyproject.toml", "constraints.txt", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not re.search(r"index-url|find-links|--extra-index|pypi", text, re.IGNORECASE), name


def test_ci_runs_make_test_and_nothing_else() -> None:
    commands = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if "make" in line]
    assert commands == ["exec make test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
