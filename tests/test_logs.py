"""Log lines: what they say, to whom, and that a task's log in Airflow stays readable."""

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
def _loggers_as_before() -> Iterator[None]:
    log = logging.getLogger(logs.ROOT)
    handlers, level = log.handlers, log.level
    yield
    log.handlers = handlers
    log.setLevel(level)


def told(captured: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.splitlines()]


def test_a_json_line_says_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json", run="scheduled__1", stage="embed")
    LOG.warning("too short: %s", "茉莉花\n", extra={"track": 7, "revision": "ab", "reason": "x"})
    with logs.about(stage="score", revision="cd"):
        LOG.info("begins")
    LOG.info("ended")
    first, second, third = told(capsys.readouterr().err)
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


def test_an_exception_is_a_field_and_no_further_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json")
    try:
        raise RejectedInput("silent", "nothing\nto hear")
    except RejectedInput:
        LOG.exception("fell over")
    (line,) = told(capsys.readouterr().err)
    assert "RejectedInput" in line["exception"]


def test_text_says_what_went_wrong_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("text", run="scheduled__1", stage="embed")
    LOG.info("begins")
    LOG.error("model fell\nover", extra={"track": 7, "revision": ""})
    assert capsys.readouterr().err == "error: embed: model fell over [track 7]\n"


def test_a_line_is_read_back_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json", run="r", stage="embed")
    LOG.warning("too short", extra={"track": 7, "reason": "too_short"})
    LOG.info("embed musicnn", extra={"done": 3, "total": 10})
    warning, progress = (logs.parse(line) for line in capsys.readouterr().err.splitlines())
    assert warning
    assert progress
    assert logs.level_of(warning) == logging.WARNING
    assert logs.as_text(warning) == "too short [track 7, reason too_short]"
    assert logs.as_text(progress) == "embed musicnn: 3 of 10"


@pytest.mark.parametrize("line", ["", "half", "{", '{"time": 1', '{"time": 1}', "[1]", '"text"'])
def test_lines_of_others_are_left_as_they_are(line: str) -> None:
    assert logs.parse(line) is None


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_stage_tells_what_it_rejects(fresh_database: Database, tmp_path: Path, form: str) -> None:
    tone(tmp_path / "good.wav", 300)
    (tmp_path / "bad.wav").write_bytes(b"noise")
    command = ["ingest", str(tmp_path), "--collection", "reference"]
    added = {"MIRPIPE_LOG": form, "MIRPIPE_RUN": "scheduled__1"}
    ended = subprocess.run(
        [sys.executable, "-m", "mirpipe.cli.main", *command],
        env=os.environ | added,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3
    said = [line for line in ended.stderr.splitlines() if "is not audio" in line]
    assert len(said) == 1
    if form == "text":
        assert said[0].startswith("warning: ingest: ")
        return
    lines = told(ended.stderr)
    assert {line["stage"] for line in lines} == {"ingest"}
    assert {line["run"] for line in lines} == {"scheduled__1"}
    rejected = json.loads(said[0])
    assert (rejected["level"], rejected["reason"]) == ("warning", "not_audio")
    assert lines[0]["message"] == "begins"
    assert (lines[-1]["message"], lines[-1]["seconds"] > 0) == ("ended", True)


def test_an_error_is_a_line_for_programs_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    added = {"MIRPIPE_LOG": "json", "MIRPIPE_DATABASE_URL": "mysql://x", "MIRPIPE_HOME": str(home)}
    ended = subprocess.run(
        [sys.executable, "-m", "mirpipe.cli.main", "retrieve"],
        env=os.environ | added,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    last = told(ended.stderr)[-1]
    assert last["level"] == "error"
    assert "mirpipe needs postgresql" in last["message"]


def test_the_format_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (settings().log, settings().run) == ("text", None)
    monkeypatch.setenv("MIRPIPE_LOG", "json")
    settings.cache_clear()
    assert settings().as_environment()["MIRPIPE_LOG"] == "json"
