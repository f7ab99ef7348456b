"""A migration killed at any step changes nothing, and the next migration completes it."""

import signal
import subprocess
import sys

import pytest

from mirpipe.db.migrate import current, downgrade, head, migrate
from tests.migrations.catalogue import catalogue
from tests.migrations.revision_0010 import load_revision_0010
from tests.support.databases import Database

pytestmark = pytest.mark.faults

_KILLED = """
import importlib, os, signal, sys
from mirpipe.db import migrate

module = importlib.import_module(sys.argv[1])
step = getattr(module, sys.argv[2])

def kill(*args, **options):
    if sys.argv[3] == "after":
        step(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, sys.argv[2], kill)
getattr(migrate, sys.argv[4])(*sys.argv[5:])
"""
STEPS = [
    ("alembic.command", "upgrade", "before"),
    ("mirpipe.db.migrate", "replace_views", "before"),
    ("mirpipe.db.replace_views", "_create_in_trial_schema", "after"),
    ("mirpipe.db.replace_views", "_drop", "after"),
    ("mirpipe.db.replace_views", "restore_privileges", "before"),
    ("mirpipe.db.migrate", "write_descriptions", "before"),
    ("mirpipe.db.migrate", "record", "before"),
    ("mirpipe.db.migrate", "record", "after"),
]


def run_killed(module: str, step: str, moment: str, *command: str) -> None:
    arguments = [sys.executable, "-c", _KILLED, module, step, moment, *command]
    process = subprocess.run(arguments, check=False, capture_output=True, timeout=60)
    assert process.returncode == -signal.SIGKILL, process.stderr


def test_a_migration_that_is_killed_changes_nothing_and_the_next_one_completes_it(
    fresh_database: Database,
) -> None:
    load_revision_0010(fresh_database)
    before = catalogue(fresh_database)
    for step in STEPS:
        run_killed(*step, "migrate")
        assert current() == "0010", step
        assert catalogue(fresh_database) == before, step
    migrate()
    undisturbed = catalogue(fresh_database)
    load_revision_0010(fresh_database)
    migrate()
    assert (current(), catalogue(fresh_database)) == (head(), undisturbed)


@pytest.mark.parametrize(
    ("revision", "module", "step"),
    [
        ("-1", "mirpipe.db.migrate", "clear_record"),
        ("-1", "alembic.command", "downgrade"),
        ("base", "alembic.command", "stamp"),
    ],
)
def test_a_downgrade_that_is_killed_changes_nothing(
    fresh_database: Database, revision: str, module: str, step: str
) -> None:
    before = catalogue(fresh_database)
    for moment in ("before", "after"):
        run_killed(module, step, moment, "downgrade", revision)
        assert (current(), catalogue(fresh_database)) == (head(), before)
    downgrade(revision)
    assert current() != head()
