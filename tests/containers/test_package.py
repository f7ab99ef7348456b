"""The installed packages run in a container that contains only Python."""

from pathlib import Path

import pytest

from tests.containers.engine import Engine
from tests.containers.stand_ins import base_images, stand_ins
from tests.support.wheels import build_wheels

# `make test-package` installs the same packages in a new environment of this machine.
pytestmark = pytest.mark.slow

INSTALL = "python3 -m venv ~/mirpipe && ~/mirpipe/bin/pip install --quiet /wheels/*.whl"
RUN = "cd / && ~/mirpipe/bin/mirpipe demo --once && ~/mirpipe/bin/mirpipe doctor"
VERIFY = "export MIRPIPE_HOME=~/.local/share/mirpipe-demo && ~/mirpipe/bin/mirpipe verify"


def test_a_user_without_privileges_installs_and_runs_the_demo(engine: Engine, folder: Path) -> None:
    wheels = folder / "wheels"
    wheels.mkdir()
    build_wheels(wheels)
    for path in (wheels, *wheels.glob("*.whl")):
        path.chmod(0o755)
    as_user = f"useradd --create-home user && su user -c '{INSTALL} && {RUN} && {VERIFY}'"
    with stand_ins(engine, folder):
        python = base_images()["python"]
        mounted = f"{wheels}:/wheels:ro"
        output = engine.docker(
            "run", "--rm", "--volume", mounted, python, "bash", "-c", as_user, timeout=1500
        )
    assert "Best matches" in output
    assert "have the locked versions" in output
    assert "all checks passed" in output
