"""The image before the newest migration is replaced by the image of this checkout."""

import secrets
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mirpipe.settings import PROJECT
from tests.containers.engine import Engine
from tests.containers.main_job import (
    run_again,
    start_main_job,
    unsuccessful_tasks,
    wait_for_main_job,
)
from tests.containers.stack import stack

pytestmark = pytest.mark.slow

KEPT = (
    "SELECT encode(content_sha256, 'hex') FROM mirpipe.track ORDER BY 1",
    "SELECT count(*) FROM mirpipe.embedding",
    "SELECT count(*) FROM mirpipe.generation",
)


def test_an_upgrade_keeps_all_tracks_and_results(
    engine: Engine, version: str, folder: Path
) -> None:
    earlier = checkout_before_the_newest_migration(folder / "earlier")
    with stack(engine, version, MIRPIPE_ENCODERS="signal") as new:
        variables = new.variables | {"MIRPIPE_VERSION": f"0.0.{secrets.randbelow(10**9)}"}
        old = replace(new, variables=variables, files=(str(earlier / "docker-compose.yml"),))
        try:
            old.compose("build", "init")
            old.up()
            start_main_job(old)
            wait_for_main_job(old)
            before = [old.query(sql) for sql in KEPT]
            assert "0" not in before
            old.compose("down", "--timeout", "60")
        finally:
            if not engine.is_own:
                image = f"mirpipe-core:{old.variables['MIRPIPE_VERSION']}"
                engine.try_docker("image", "rm", "--force", image)

        new.up()
        assert [new.query(sql) for sql in KEPT] == before
        assert "all checks passed" in new.run("worker", "mirpipe", "verify")
        assert "the newest revision" in new.operator("mirpipe", "doctor")
        run_again(new)
        assert unsuccessful_tasks(new) == []


def checkout_before_the_newest_migration(target: Path) -> Path:
    """Write the files of that commit into the folder `target`, and return it."""
    added = ["--diff-filter=A", "--format=%H", "-1", "--", "migrations/versions"]
    newest = git("log", *added).decode().strip()
    assert newest, "The earlier image is built from the history: run `git fetch --unshallow`."
    target.mkdir()
    archive = git("archive", f"{newest}^")
    subprocess.run(["tar", "--extract", "--directory", target], input=archive, check=True)
    return target


def git(*arguments: str) -> bytes:
    command = ["git", "-C", str(PROJECT), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout
