"""A backup of one compose project is restored in another one."""

from pathlib import Path

import pytest

from tests.containers.engine import Engine
from tests.containers.main_job import digest, run_again
from tests.containers.stack import Stack, stack

pytestmark = pytest.mark.slow


def test_a_backup_is_restored_in_another_project(
    engine: Engine, version: str, undisturbed: Stack, undisturbed_digest: str, backups: Path
) -> None:
    assert undisturbed_digest in undisturbed.operator("mirpipe", "backup", "/backups/first")
    with stack(engine, version, BACKUPS_VOLUME=str(backups)) as other:
        other.up("init")
        assert undisturbed_digest in other.operator("mirpipe", "restore", "/backups/first")
        other.up()
        assert digest(other) == undisturbed_digest
        run_again(other)
        assert digest(other) == undisturbed_digest
        # `doctor` compares the clips with the files in the volume, and fails if one is missing.
        assert "exist, and each file has a row" in other.operator("mirpipe", "doctor")
