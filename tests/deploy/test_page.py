"""Tests that docs/how-to/deploy.md has valid settings and commands that name existing services."""

import itertools
import re
import shlex
import subprocess
import sys

import pytest

from mirpipe.settings import PROJECT
from tests.deploy.compose import compose, config, env_file, needs_program
from tests.deploy.test_compose import ALL_PROFILES

pytestmark = needs_program

PAGE = (PROJECT / "docs" / "how-to" / "deploy.md").read_text()
SETTINGS = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("block", SETTINGS)
def test_settings_on_the_page_are_valid_and_in_the_example(block: str) -> None:
    settings = dict(line.split("=", 1) for line in block.splitlines())
    assert compose(env_file(**settings), "config", "--quiet").returncode == 0
    example = (PROJECT / ".env.example").read_text()
    assert set(settings) <= set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    profiles = filter(None, settings.get("COMPOSE_PROFILES", "").split(","))
    assert set(profiles) <= set(ALL_PROFILES.split(","))


def test_commands_on_the_page_name_existing_services_and_files() -> None:
    services = set(config(env_file(COMPOSE_PROFILES=ALL_PROFILES))["services"])
    named = set()
    for command in COMMANDS:
        for option, file in itertools.pairwise(command):
            assert option != "-f" or (PROJECT / file).exists(), file
        words = [word for word in command if not word.startswith("-")]
        if words[:2] != ["docker", "compose"]:
            continue
        verb, *rest = words[2:]
        if verb in {"exec", "run", "rm"} or "--no-deps" in command:
            assert rest[0] in services, command
            named.add(rest[0])
    assert {"worker", "worker-gpu", "postgres", "scheduler"} <= named


@pytest.mark.slow
def test_mirpipe_commands_on_the_page_exist() -> None:
    commands = {
        tuple(command[command.index("mirpipe") + 1 :][:2])
        for command in COMMANDS
        if "mirpipe" in command[:-1]
    }
    assert commands == {
        *(("status",), ("models", "pull"), ("doctor",)),
        *(("backup", "/backups/2026-11-22"), ("restore", "/backups/2026-11-22")),
    }
    for words in commands:
        help_ = [sys.executable, "-m", "mirpipe.cli.main", *words, "--help"]
        assert subprocess.run(help_, capture_output=True, cwd=PROJECT).returncode == 0, words
