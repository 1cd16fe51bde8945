"""Weighs installations: the packages that treering's requirements bring into a fresh environment."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_LARGEST = 8
WEIGHED = (("base", (), 450), ("base and [train]", ("train",), None))
"""What is weighed: its name, its extras, and the most megabytes that we aim at."""


def weigh(folder: Path) -> list[dict[str, Any]]:
    """Install each set of requirements, treering itself and installers left out, and add up the disk that it takes."""
    weights = []
    for name, extras, at_most in WEIGHED:
        with tempfile.TemporaryDirectory(dir=folder, prefix="environment-") as environment:
            packages = _installed(Path(environment), extras)
            parts = {part.name: _disk_mb(part) for part in packages.iterdir()}
        total = round(sum(parts.values()))
        largest = {part: round(mb) for part, mb in sorted(parts.items(), key=lambda item: -item[1])[:_LARGEST]}
        weights.append({"name": name, "mb": total, "at_most": at_most, "is_met": at_most is None or total <= at_most, "largest_mb": largest})
    return weights


def _installed(environment: Path, extras: Sequence[str]) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    chosen = [word for extra in extras for word in ("--extra", extra)]
    into = ["--python", str(environment / "bin" / "python"), "--constraint", str(_ROOT / "constraints.txt"), "--link-mode", "copy"]
    subprocess.run([sys.executable, "-m", "uv", "--quiet", "pip", "install", *into, "--requirement", str(_ROOT / "pyproject.toml"), *chosen], check=True)
    return next((environment / "lib").glob("python*/site-packages"))


def _disk_mb(path: Path) -> float:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.lstat().st_blocks * 512 for file in files) / 2**20
