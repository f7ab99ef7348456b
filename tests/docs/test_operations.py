"""Test that the commands on the operations page work in the order of the page."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db.migrate import downgrade
from mirpipe.settings import PROJECT, settings
from tests.docs.walk import Command, steps
from tests.support.databases import Database

PAGE = (PROJECT / "docs" / "operations.md").read_text()
CODES = {"doctor": (0, 1), "ingest": (3,)}
"""Expected exit codes other than 0: a machine may have problems, and noise is rejected."""


@pytest.mark.slow
def test_every_command_of_the_page_does_what_it_says(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "bad.wav").write_bytes(b"noise")
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    commands = [step.line for step in steps(PAGE) if isinstance(step, Command)]
    assert [line.split("mirpipe ")[1].split()[0] for line in commands] == [
        *("doctor", "verify", "backup", "restore", "prune", "ingest")
    ]
    for line in commands:
        words = shlex.split(
            line.replace("~", str(tmp_path)).replace("/backups", str(tmp_path / "backups"))
        )
        while "=" in words[0]:
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        settings.cache_clear()
        program, command, *rest = words
        assert program == "mirpipe"
        if command == "restore":
            downgrade("base")
        result = CliRunner().invoke(app, [command, *rest])
        assert result.exit_code in CODES.get(command, (0,)), f"{line}: {result.output}"
        if command == "ingest":
            assert '"reason": "not_audio"' in result.stderr
