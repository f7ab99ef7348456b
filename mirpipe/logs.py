"""Log lines on stderr: text for people or JSON for programs, with run, stage, track and revision.

The caller passes the fields of a single message in `extra`. `configure_logging` and `added_fields`
set the fields that all messages of the process contain.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

Format = Literal["text", "json"]

LOGGER_NAME = "mirpipe"
"""Name of the parent of all mirpipe loggers."""
FIELDS = (
    "run",
    "stage",
    "revision",
    "track",
    "subject",
    "reason",
    "done",
    "total",
    "left_seconds",
    "seconds",
)
"""Names of the fields that a line can contain in addition to its message, in output order."""

_process_fields: dict[str, object] = {}
"""The fields that every line of this process contains."""


def configure_logging(line_format: Format, **fields: object) -> None:
    """Make all mirpipe loggers write to stderr, and add these fields to every line.

    The JSON log contains all messages. The text log contains only warnings and errors, and on a
    terminal only errors, because bad input can cause many warnings.
    """
    handler = _StderrHandler()
    handler.setFormatter(_JsonFormatter() if line_format == "json" else _TextFormatter())
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers = [handler]
    text_level = logging.ERROR if sys.stderr.isatty() else logging.WARNING
    logger.setLevel(logging.INFO if line_format == "json" else text_level)
    _process_fields.clear()
    _process_fields.update(fields)


def is_json() -> bool:
    """Return whether this process logs JSON, in which case it shows no progress bar or colours."""
    handlers = logging.getLogger(LOGGER_NAME).handlers
    return any(isinstance(handler.formatter, _JsonFormatter) for handler in handlers)


@contextmanager
def added_fields(**fields: object) -> Iterator[None]:
    """Add these fields to every line that this process logs inside the `with` block."""
    before = dict(_process_fields)
    _process_fields.update(fields)
    try:
        yield
    finally:
        _process_fields.clear()
        _process_fields.update(before)


def parse_json_line(line: str) -> dict[str, Any] | None:
    """Return the fields of a JSON line from mirpipe, or None if another program wrote the line."""
    if not line.startswith('{"time": '):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if "message" in fields and "level" in fields else None


def level_number(fields: dict[str, Any]) -> int:
    """Return the numeric level of a parsed line, as the logging module defines it."""
    return logging.getLevelNamesMapping().get(str(fields["level"]).upper(), logging.INFO)


def format_as_text(fields: dict[str, Any]) -> str:
    """Return a parsed line as text: the message, then the fields in brackets.

    The text contains no level, stage or run, because the reader sees these fields elsewhere.
    """
    message = " ".join(str(fields["message"]).split())
    if "done" in fields:
        return progress_text(message, fields["done"], fields["total"], fields.get("left_seconds"))
    shown = [name for name in FIELDS if name in fields and name not in ("run", "stage")]
    details = ", ".join(f"{name} {fields[name]}" for name in shown)
    return f"{message} [{details}]" if details else message


def progress_text(label: str, done: int, total: int, left_seconds: float | None) -> str:
    """Return how many items are done, and about how long the others take if that is known."""
    text = f"{label}: {done:,} of {total:,}"
    if left_seconds is None:
        return text
    for unit, seconds in (("h", 3600), ("min", 60)):
        if left_seconds >= 2 * seconds:
            return f"{text}, about {left_seconds / seconds:.0f} {unit} left"
    return f"{text}, about {left_seconds:.0f} s left"


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the time, level, message and all known fields of a record."""
    known = {name: getattr(record, name, _process_fields.get(name)) for name in FIELDS}
    fields = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "message": record.getMessage(),
    }
    return fields | {name: value for name, value in known.items() if value not in (None, "")}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = _fields_of(record)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        # The output is pure ASCII, so terminals, pipes and log collectors cannot damage a title.
        return json.dumps(fields, default=str)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = _fields_of(record)
        stage = f"{fields['stage']}: " if "stage" in fields else ""
        return f"{fields['level']}: {stage}{format_as_text(fields)}"


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in typeshed only
    """A handler that writes to the current `sys.stderr`, which a progress bar may replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr
