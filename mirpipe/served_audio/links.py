"""Links to audio. A link contains the ticket of a session of the dashboard, and ends with it.

Only a page gives out a ticket, and pages are shown only after the login, so nobody can read audio
without it. The tickets exist only in the memory of the dashboard's process.
"""

import secrets
from dataclasses import dataclass, field
from re import fullmatch

from mirpipe.db.queries import FileLocation

AUDIO_PATH = "/audio"

_valid: dict[str, "Ticket"] = {}
"""The valid tickets by token."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """Permission of one session to request audio, until it is withdrawn."""

    token: str
    """Random text that nobody can guess."""
    uploads: dict[str, FileLocation] = field(default_factory=dict)
    """Files that the visitor has uploaded, by the SHA-256 of the file. No other ticket reads them.
    """


def issue_ticket() -> Ticket:
    """Return a new ticket for the audio of all tracks."""
    ticket = Ticket(secrets.token_urlsafe(32))
    _valid[ticket.token] = ticket
    return ticket


def withdraw_ticket(ticket: Ticket) -> None:
    """Make the ticket and all its links invalid."""
    _valid.pop(ticket.token, None)


def audio_link(content_sha256: str, ticket: Ticket) -> str:
    """Return the path of the audio with this content hash, in hexadecimal, on the dashboard."""
    return f"{AUDIO_PATH}/{content_sha256}.{ticket.token}"


def linked_content(name: str) -> tuple[str, Ticket] | None:
    """Return the content hash and the ticket in the last part of a link.

    Return None if the ticket is not valid, or if there is no content hash.
    """
    content, _, token = name.partition(".")
    ticket = _valid.get(token)
    if ticket is None or not fullmatch(r"[0-9a-f]+", content):
        return None
    return content, ticket
