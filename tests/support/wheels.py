"""Builds the packages `mirpipe` and `mirpipe-demo` from this checkout."""

import subprocess
from pathlib import Path

import uv

from mirpipe.settings import PROJECT


def build_wheels(folder: Path) -> dict[str, Path]:
    """Build both wheels in the folder, and return their paths by package name."""
    for source in (PROJECT, PROJECT / "demo"):
        command = [uv.find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", folder, source]
        subprocess.run(command, check=True)
    return {path.name.split("-")[0]: path for path in folder.glob("*.whl")}
