"""Log line tests: fields, both formats, and display in Airflow's task logs."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirpipe import logs
from mirpipe.errors import RejectedInput
from mirpipe.settings import settings
from tests.support.audio_files import tone
from tests.support.databases import Database

LOG = logging.getLogger("mirpipe.test")


@pytest.fixture(autouse=True)
def _restore_loggers() -> Iterator[None]:
    log = logging.getLogger(logs.LOGGER_NAME)
    handlers, level = log.handlers, log.level
    yield
    log.handlers = handlers
    log.setLevel(level)


def parsed_lines(captured: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.splitlines()]


def run_mirpipe(arguments: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mirpipe.cli.main", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_line_contains_all_known_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("json", run="scheduled__1", stage="embed")
    LOG.warning("too short: %s", "茉莉花\n", extra={"track": 7, "revision": "ab", "reason": "x"})
    with logs.added_fields(stage="score", revision="cd"):
        LOG.info("started")
    LOG.info("ended")
    first, second, third = parsed_lines(capsys.readouterr().err)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "warning",
        "message": "too short: 茉莉花\n",
        "run": "scheduled__1",
        "stage": "embed",
        "revision": "ab",
        "track": 7,
        "reason": "x",
    }
    assert (second["stage"], second["revision"]) == ("score", "cd")
    assert (third["stage"], "revision" in third) == ("embed", False)


def test_exception_is_a_field_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("json")
    try:
        raise RejectedInput("silent", "the track\nis silent")
    except RejectedInput:
        LOG.exception("failed")
    (line,) = parsed_lines(capsys.readouterr().err)
    assert "RejectedInput" in line["exception"]


def test_text_shows_an_error_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("text", run="scheduled__1", stage="embed")
    LOG.info("started")
    LOG.error("the model\nfailed", extra={"track": 7, "revision": ""})
    assert capsys.readouterr().err == "error: embed: the model failed [track 7]\n"


def test_json_line_is_converted_back_to_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_logging("json", run="r", stage="embed")
    LOG.warning("too short", extra={"track": 7, "reason": "too_short"})
    LOG.info("embed musicnn", extra={"done": 3, "total": 10})
    lines = capsys.readouterr().err.splitlines()
    warning, progress = (logs.parse_json_line(line) for line in lines)
    assert warning
    assert progress
    assert logs.level_number(warning) == logging.WARNING
    assert logs.format_as_text(warning) == "too short [track 7, reason too_short]"
    assert logs.format_as_text(progress) == "embed musicnn: 3 of 10"


@pytest.mark.parametrize("line", ["", "half", "{", '{"time": 1', '{"time": 1}', "[1]", '"text"'])
def test_lines_of_other_programs_are_not_parsed(line: str) -> None:
    assert logs.parse_json_line(line) is None


@pytest.mark.parametrize("line_format", ["json", "text"])
def test_stage_logs_each_rejected_file(
    fresh_database: Database, tmp_path: Path, line_format: str
) -> None:
    tone(tmp_path / "good.wav", 300)
    (tmp_path / "bad.wav").write_bytes(b"noise")
    ended = run_mirpipe(
        ["ingest", str(tmp_path), "--collection", "reference"],
        MIRPIPE_LOG=line_format,
        MIRPIPE_RUN="scheduled__1",
    )
    assert ended.returncode == 3
    rejections = [line for line in ended.stderr.splitlines() if "is not audio" in line]
    assert len(rejections) == 1
    if line_format == "text":
        assert rejections[0].startswith("warning: ingest: ")
        return
    lines = parsed_lines(ended.stderr)
    assert {line["stage"] for line in lines} == {"ingest"}
    assert {line["run"] for line in lines} == {"scheduled__1"}
    rejected = json.loads(rejections[0])
    assert (rejected["level"], rejected["reason"]) == ("warning", "not_audio")
    assert lines[0]["message"] == "started"
    assert (lines[-1]["message"], lines[-1]["seconds"] > 0) == ("ended", True)


def test_error_of_a_command_is_a_json_line(tmp_path: Path) -> None:
    ended = run_mirpipe(
        ["retrieve"],
        MIRPIPE_LOG="json",
        MIRPIPE_DATABASE_URL="mysql://x",
        MIRPIPE_HOME=str(tmp_path / "home"),
    )
    assert ended.returncode == 1
    last = parsed_lines(ended.stderr)[-1]
    assert last["level"] == "error"
    assert "postgresql" in last["message"]


def test_format_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (settings().log, settings().run) == ("text", None)
    monkeypatch.setenv("MIRPIPE_LOG", "json")
    settings.cache_clear()
    assert settings().as_environment()["MIRPIPE_LOG"] == "json"


def test_progress_states_about_how_long_the_others_take() -> None:
    fields = {"message": "embed musicnn", "done": 3, "total": 1_000}
    for seconds, words in ((7_300, "2 h"), (7_100, "118 min"), (100, "100 s"), (0, "0 s")):
        shown = logs.format_as_text(fields | {"left_seconds": seconds})
        assert shown == f"embed musicnn: 3 of 1,000, about {words} left"
