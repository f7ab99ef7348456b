"""The installed packages run in a container that contains only Python."""

from pathlib import Path

import pytest

from tests.containers.engine import Engine
from tests.containers.stand_ins import base_images, stand_ins
from tests.support.wheels import build_wheels

# `make test-package` installs the same packages in a new environment of this machine.
pytestmark = pytest.mark.slow

SESSION = """
set -e
cd ~
if [ -n "$PIP_INDEX_URL" ]; then export UV_DEFAULT_INDEX=$PIP_INDEX_URL; fi
python3 -m venv uv
uv/bin/pip install --quiet uv
uv/bin/uv tool install --quiet --python 3.11 /wheels/mirpipe-*.whl --with /wheels/mirpipe_demo-*.whl
export PATH=$HOME/.local/bin:$PATH
mirpipe --version
mirpipe demo --once
mirpipe doctor
MIRPIPE_HOME=~/.local/share/mirpipe-demo mirpipe verify
mkdir -p music/library music/targets
some() { find .local/share/uv -path "*/mirpipe_demo/$1/*" -print0 | sort -z | head -z -n 4; }
some reference | xargs -0 cp --target-directory music/library
some target | xargs -0 cp --target-directory music/targets
mirpipe up --references ~/music/library --targets ~/music/targets --once
mirpipe verify
"""
"""What a user does, as docs/how-to/install.md describes it."""


def test_a_user_without_privileges_installs_it_and_runs_the_demo_and_a_library(
    engine: Engine, folder: Path
) -> None:
    wheels = folder / "wheels"
    wheels.mkdir()
    build_wheels(wheels)
    (wheels / "session.sh").write_text(SESSION)
    for path in (wheels, *wheels.iterdir()):
        path.chmod(0o755)
    as_user = "useradd --create-home user && su user --shell /bin/bash /wheels/session.sh"
    with stand_ins(engine, folder):
        python = base_images()["python"]
        mounted = f"{wheels}:/wheels:ro"
        output = engine.docker(
            "run", "--rm", "--volume", mounted, python, "bash", "-c", as_user, timeout=1800
        )
    assert output.startswith("mirpipe ")
    assert "have the locked versions" in output
    assert output.count("Best matches") == 2, "of the demo and of the library"
    assert output.count("all checks passed") == 2
