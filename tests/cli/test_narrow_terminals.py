"""Every list fits terminals of 60, 80 and 120 characters, and every help text fits 80."""

import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from typer.main import get_command
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.cli.result_tables import print_results
from mirpipe.cli.table_layout import print_table
from mirpipe.operations import doctor
from mirpipe.operations.doctor import Finding
from mirpipe.stages.embed import embed
from tests.dashboard.example_library import Model, Piece, fill
from tests.operations.gate.judged_library import JudgedLibrary
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

WIDTHS = (60, 80, 120)
PIECES = tuple(
    Piece(collection, title, Path(f"/music/a folder with a long name/{number}.ogg"), voiced=voiced)
    for number, (collection, title, voiced) in enumerate(
        (
            ("target", "康定情歌（古筝，十二平均律，现场录音，第二版，未经剪辑，完整版本）", True),
            ("target", "تجربة طويلة جدا لعنوان مقطوعة موسيقية", False),
            ("reference", "A long title, as found in collections of field recordings", True),
            ("reference", "West", True),
        )
    )
)
ENCODER = "an_encoder_with_a_long_name"
MODELS = (Model("musicnn", 0.8, 0.1), Model(ENCODER, 0.99, 0.001, is_random=True))
COMMANDS = {
    "encoders": ["musicnn"],
    "failures": ["truncated"],
    "models": ["audiobox_aesthetics"],
    "quality": ["bandwidth"],
    "settings": ["MIRPIPE_PRIMARY_GENERATION_METRIC"],
    "status": [ENCODER, "reference", "truncated"],
    "duplicates": [],
    "tags": ["gb18030"],
    "listening list": ["a-listening-test-with-a-long-name"],
}
"""Names that the output of each command contains, and that are not broken."""
UNBREAKABLE = re.compile(r"\s*([^\s`]*`[^`]+`[^\s`]*|\S+)")
"""A line of one command between backticks, or of one word."""


@pytest.fixture
def _library(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
        connection.execute(
            text(
                "INSERT INTO mirpipe.failure (stage, revision, subject, reason, message, retry) "
                "VALUES ('ingest', '1', '/music/a long folder/with files/and a file.wav', "
                "'truncated', 'The file ends after 3.0 s of 10.0 s. Copy it again.', false)"
            )
        )
        for statement in (
            "INSERT INTO mirpipe.listening_test (name, kind, run_id, seed, options, sheets, "
            "excerpt_seconds, min_controls, consent) SELECT 'a-listening-test-with-a-long-name', "
            "'clips', run_id, 0, '{}', 1, 10, 0.5, '' FROM mirpipe.run",
            "INSERT INTO mirpipe.finding SELECT track_id, 0, 'bandwidth', 'warning', 1.5, "
            "'Nothing is above 8 kHz.' FROM mirpipe.track",
            "UPDATE mirpipe.track SET labels_from = 'tags'",
            'UPDATE mirpipe.track_file SET undecoded_tags = \'{"title": ["x"]}\', '
            "tag_encoding = 'gb18030', tag_encoding_guessed = true",
        ):
            connection.execute(text(statement.replace(":", "\\:")))


def require_width(output: str, width: int) -> None:
    """Check the width of all lines but those with nothing but one command or path."""
    lines = [line.rstrip() for line in output.splitlines()]
    too_wide = [
        line for line in lines if cell_len(line) > width and not UNBREAKABLE.fullmatch(line)
    ]
    assert not too_wide


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_list_fits_and_breaks_no_name(command: str, width: int) -> None:
    result = CliRunner().invoke(app, command.split(), env={"COLUMNS": str(width)})
    assert result.exit_code == 0
    assert result.stdout.strip()
    require_width(result.stdout, width)
    assert [name for name in COMMANDS[command] if name not in result.stdout] == []


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_fits_and_names_every_target(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    file = io.StringIO()
    print_results(file)
    require_width(file.getvalue(), width)
    for word in ("melody", "unpitched", "established?", "West", "(random"):
        assert word in file.getvalue().split()


@pytest.mark.parametrize("width", WIDTHS)
def test_verdicts_fit_and_break_no_name(
    width: int, fresh_database: Database, tmp_path: Path
) -> None:
    library = JudgedLibrary(fresh_database)
    library.challenge(old_at_bad=1, new_at_bad=3)
    library.publish()
    rules = tmp_path / "rules.yml"
    rule = "check: mean, metric: aligned_melody, encoder: made_up, at_least: 0.333"
    rules.write_text(f"rules:\n  - {{name: 旋律 stays above a third of all notes, {rule}}}\n")
    for command, name in (
        (["gate", str(rules)], "made_up"),
        (["compare", "made_up@old", "made_up@new"], "made_up@new"),
    ):
        result = CliRunner().invoke(app, command, env={"COLUMNS": str(width)})
        assert name in result.stdout
        require_width(result.stdout, width)


@pytest.mark.usefixtures("fresh_database")
def test_matches_of_a_search_fit_and_name_every_track(tmp_path: Path) -> None:
    tones(tmp_path / "music", [110, 220, 880])
    ingest_folder(tmp_path / "music", "reference")
    embed(["signal"], batch_tracks=64)
    for width in WIDTHS:
        result = CliRunner().invoke(app, ["search", "220 Hz"], env={"COLUMNS": str(width)})
        require_width(result.stdout, width)
        assert all(f"{pitch} Hz" in result.stdout for pitch in (110, 880))


@pytest.mark.parametrize("width", WIDTHS)
def test_findings_of_doctor_fit_and_their_commands_can_be_copied(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "all four roles can connect and have the right permissions in [every] view and table"
    command = "mirpipe ingest /a/folder/with/a/long/name --collection reference"
    findings = [
        Finding("roles", "ok", long),
        Finding("models", "warning", "no library is installed", "run `mirpipe models install`"),
        Finding("gone", "problem", "9 tracks have no file", f"mount the disk, or run `{command}`"),
    ]
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": str(width)})
    require_width(result.stdout, width)
    lines = result.stdout.splitlines()
    assert [line.rstrip() for line in lines] == lines
    assert " ".join(line.strip() for line in lines) == (
        f"ok       roles: {long} warning  models: no library is installed → run "
        f"`mirpipe models install` problem  gone: 9 tracks have no file → mount the disk, or run "
        f"`{command}`"
    )
    for each in ("`mirpipe models install`", f"`{command}`"):
        assert sum(each in line for line in lines) == 1
    levels = tuple(f"{level:9}" for level in ("ok", "warning", "problem"))
    assert all(line.startswith((" " * 9, *levels)) for line in lines)


def _commands() -> Iterator[list[str]]:
    """Yield the words of every command and of every group of commands."""
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    yield []
    for name, command in group.commands.items():
        yield [name]
        yield from ([name, below] for below in getattr(command, "commands", {}))


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_help_text_fits_80_characters(words: list[str]) -> None:
    result = CliRunner().invoke(app, [*words, "--help"], terminal_width=80)
    assert result.exit_code == 0
    require_width(result.stdout, 80)


def table() -> Table:
    table = Table("target", "encoder\nand revision", "path")
    table.add_row("West", "musicnn", "/a/very/long/path/of/a/file.wav")
    table.add_row("", "an_encoder_with_a_long_name", "")
    return table


def test_a_table_that_does_not_fit_becomes_one_block_per_row() -> None:
    file = io.StringIO()
    print_table(Console(file=file, width=40), table(), title="Matches")
    assert [line.rstrip() for line in file.getvalue().splitlines()] == [
        "Matches",
        "target                West",
        "encoder and revision  musicnn",
        "path                  /a/very/long/path/",
        "                      of/a/file.wav",
        "",
        "target                West",
        "encoder and revision  an_encoder_with_a_",
        "                      long_name",
        "",
    ]


def test_a_table_that_fits_stays_a_table() -> None:
    shown = {width: _printed(table(), width) for width in range(40, 100)}
    tables = {width: text for width, text in shown.items() if text.startswith("┏")}
    narrowest = min(tables)
    assert list(tables) == list(range(narrowest, 100))
    for shown_table in tables.values():
        assert ENCODER in shown_table
        assert "…" not in shown_table
    # Target, encoder, a piece of 24 characters of the path, two spaces each, and four lines.
    assert narrowest == 6 + 27 + 24 + 6 + 4


def _printed(table: Table, width: int) -> str:
    file = io.StringIO()
    print_table(Console(file=file, width=width), table)
    return file.getvalue()


def test_a_command_in_a_terminal_uses_its_width(tmp_path: Path) -> None:
    main, child = pty.openpty()
    ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    environment = {**os.environ, "MIRPIPE_HOME": str(tmp_path), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "mirpipe.cli.main", "encoders"]
    process = subprocess.Popen(command, stdin=child, stdout=child, env=environment)
    os.close(child)
    output = b""
    while True:
        try:
            block = os.read(main, 65536)
        except OSError:  # Linux reports the end of a terminal as an input/output error.
            break
        if not block:
            break
        output += block
    os.close(main)
    assert process.wait(60) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", output.decode())
    require_width(shown, 60)
    assert "music_audioset_epoch_15_esc_90.14.pt" in shown
