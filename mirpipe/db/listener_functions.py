"""What the pages of a listening test can do in the database: the functions of the role listener.

Each function takes the token of one listener, and reaches nothing but this listener's questions and
votes. The role has no privilege on any table.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text

from mirpipe.db.engine import engine
from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import Address, parse_address

Part = Literal["target", "left", "right"]


@dataclass(frozen=True)
class Progress:
    """How far a listener is."""

    kind: str
    """answers, clips or rating."""
    consent: str
    """Text that the listener must accept before the first question."""
    has_consented: bool
    answered_n: int
    questions_n: int


@dataclass(frozen=True)
class ShownQuestion:
    """A question as it is shown. It says nothing about the tracks."""

    position: int
    criterion: str
    """similarity (to the target) or quality."""
    is_rating: bool
    """Whether one track is rated from 1 to 5. Otherwise, two tracks are compared."""
    answer: int | None
    """For two tracks: 1 for the left one, −1 for the right one, 0 for neither. For a rating: 1 to
    5. None if there is no answer yet."""


@dataclass(frozen=True)
class GivenAnswer(ShownQuestion):
    """An answer of the listener, to export."""

    answered_at: datetime


@dataclass(frozen=True)
class ExcerptLocation:
    """The part of a file that is played."""

    path: Address
    etag: str | None
    """ETag of an object in S3. None for a local file."""
    start_seconds: float
    seconds: float


# Not current_user: a session can undo SET ROLE, and then has all privileges of its login.
_CAN_DO_MORE = text("""
    SELECT session_user AS login, EXISTS (
        SELECT FROM pg_catalog.pg_roles r
        JOIN pg_catalog.pg_class c ON c.relnamespace = to_regnamespace('mirpipe')
            AND c.relkind IN ('r', 'p', 'v')
        WHERE pg_has_role(session_user, r.oid, 'MEMBER')
          AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')) AS can_do_more
""")


def require_own_login() -> None:
    """Raise ConfigurationError if the login of the voting pages has a privilege on any table.

    On the embedded server, it has none.
    """
    with engine("listener").connect() as connection:
        found = connection.execute(_CAN_DO_MORE).one()
    if found.can_do_more:
        raise ConfigurationError(
            f"The login {found.login} can do more than answer listening tests, so a fault of the "
            "voting pages would reach the whole library. Set MIRPIPE_LISTENER_URL to a login of "
            "its own, such as mirpipe_listener, and run `mirpipe db provision`."
        )


def progress(token: str) -> Progress | None:
    """Return how far the listener is, or None if there is no such token."""
    rows = _call("progress", token=token)
    return Progress(**rows[0]) if rows else None


def consent(token: str) -> bool:
    """Record that the listener accepts the consent text. Return whether the token exists."""
    return _call_for_bool("consent", token=token)


def question(token: str, position: int | None = None) -> ShownQuestion | None:
    """Return a question, or the first one without an answer. None if there is none to show.

    Before the listener has consented, there is no question.
    """
    rows = _call("question", token=token, position=position)
    return ShownQuestion(**rows[0]) if rows else None


def excerpt_location(token: str, position: int, part: Part) -> ExcerptLocation | None:
    """Return where one track of a question is, or None if the question has no such track."""
    for row in _call("audio", token=token, position=position, part=part):
        path = parse_address(bytes(row.pop("path")))
        return ExcerptLocation(path, **row)
    return None


def vote(token: str, position: int, answer: int) -> bool:
    """Store an answer, which replaces an earlier one. Return False if it is not possible here."""
    return _call_for_bool("vote", token=token, position=position, answer=answer)


def votes(token: str) -> list[GivenAnswer]:
    """Return the answers of the listener, by position."""
    return [GivenAnswer(**row) for row in _call("votes", token=token)]


def withdraw(token: str) -> bool:
    """Delete the listener and all answers. Return whether the token existed."""
    return _call_for_bool("withdraw", token=token)


def _call(function: str, **arguments: object) -> list[dict[str, Any]]:
    names = ", ".join(f":{name}" for name in arguments)
    # Postgres must know the type of a NULL.
    names = names.replace(":position", "CAST(:position AS integer)")
    query = text(f"SELECT * FROM mirpipe.listener_{function}({names})")
    with engine("listener").begin() as connection:
        return [dict(row) for row in connection.execute(query, arguments).mappings()]


def _call_for_bool(function: str, **arguments: object) -> bool:
    [row] = _call(function, **arguments)
    return bool(row[f"listener_{function}"])
