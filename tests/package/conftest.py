"""Fixtures that build the packages, and install them as a user does, without a checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from tests.support.wheels import build_wheels

PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "UV_",
    "PIP_",
    "SSL_",
    "REQUESTS_",
    "HTTP",
    "http",
    "no_",
    "NO_",
)
"""Beginnings of the names of variables that the commands of a new user have, too."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both packages, and return their files by package name."""
    return build_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def environment(short_folder: Path) -> dict[str, str]:
    """Return the environment of a user who has nothing but Python and uv."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    return kept | {
        "UV_TOOL_DIR": str(short_folder / "tools"),
        "UV_TOOL_BIN_DIR": str(short_folder / "bin"),
        "MIRPIPE_HOME": str(short_folder / "home"),
        "MIRPIPE_AIRFLOW_PORT": "18900",
        "MIRPIPE_DASHBOARD_PORT": "18950",
    }


@pytest.fixture(scope="session")
def mirpipe(wheels: dict[str, Path], short_folder: Path, environment: dict[str, str]) -> Path:
    """Install both packages with `uv tool install`, and return the path of the command."""
    command = [uv.find_uv_bin(), "tool", "install", "--quiet", "--python", sys.executable]
    command += [str(wheels["mirpipe"]), "--with", str(wheels["mirpipe_demo"])]
    subprocess.run(command, env=environment, cwd=short_folder, check=True)
    return short_folder / "bin" / "mirpipe"
