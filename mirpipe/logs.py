"""Log lines on stderr: text for people, JSON for programs, with run, stage, track and revision.

Whoever logs says what it knows in `extra`; what the whole process knows is said once, by `about`.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

Format = Literal["text", "json"]

ROOT = "mirpipe"
FIELDS = ("run", "stage", "revision", "track", "subject", "reason", "done", "total", "seconds")
"""What a line may say beside its message, in this order."""

_known: dict[str, object] = {}


def set_up(form: Format, **fields: object) -> None:
    """Has loggers of ours write to stderr, and every line say these fields.

    All they say in JSON; in text what went wrong, on a terminal without bad input, of which there
    may be much.
    """
    handler = _Stderr()
    handler.setFormatter(_Json() if form == "json" else _Text())
    log = logging.getLogger(ROOT)
    log.handlers = [handler]
    text_level = logging.ERROR if sys.stderr.isatty() else logging.WARNING
    log.setLevel(logging.INFO if form == "json" else text_level)
    _known.clear()
    _known.update(fields)


def is_json() -> bool:
    """Whether this process writes for programs: then it draws and colours nothing."""
    handlers = logging.getLogger(ROOT).handlers
    return any(isinstance(handler.formatter, _Json) for handler in handlers)


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Within it every line of this process says these fields, too; a process does one stage."""
    before = dict(_known)
    _known.update(fields)
    try:
        yield
    finally:
        _known.clear()
        _known.update(before)


def parse(line: str) -> dict[str, Any] | None:
    """The fields of a JSON line of ours; None where it is another program's."""
    if not line.startswith('{"time": '):
        return None
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if "message" in told and "level" in told else None


def level_of(told: dict[str, Any]) -> int:
    """The number of a parsed line's level."""
    return logging.getLevelNamesMapping().get(str(told["level"]).upper(), logging.INFO)


def as_text(told: dict[str, Any]) -> str:
    """A parsed line for people who know the level, the stage and the run: message, then fields."""
    message = " ".join(str(told["message"]).split())
    if "done" in told:
        return f"{message}: {told['done']} of {told['total']}"
    shown = [name for name in FIELDS if name in told and name not in ("run", "stage")]
    fields = ", ".join(f"{name} {told[name]}" for name in shown)
    return f"{message} [{fields}]" if fields else message


def _told(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: getattr(record, name, _known.get(name)) for name in FIELDS}
    told = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "message": record.getMessage(),
    }
    return told | {name: value for name, value in fields.items() if value not in (None, "")}


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = _told(record)
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        # ASCII, so that no terminal, pipe or collector can spoil a title
        return json.dumps(told, default=str)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = _told(record)
        stage = f"{told['stage']}: " if "stage" in told else ""
        return f"{told['level']}: {stage}{as_text(told)}"


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # typeshed's is generic, ours not
    """Writes to what stderr is at the moment: a progress bar puts itself in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr
