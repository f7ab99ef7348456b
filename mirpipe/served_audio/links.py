"""Links to the audio of tracks. A signature proves that a page of the dashboard has shown the link.

A page is shown only after the login, so nobody can read audio without it. The key exists only in
the memory of the dashboard's process. After a restart, the open pages get new links.
"""

import secrets
from functools import cache

from itsdangerous import BadSignature, TimestampSigner

AUDIO_PATH = "/audio"
PERIOD_SECONDS = 12 * 3600
"""A link is valid in the period in which it was signed and in the next one."""


class _PeriodSigner(TimestampSigner):
    """Signs with the start of the period, so that a link stays the same when a page is redrawn."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() // PERIOD_SECONDS * PERIOD_SECONDS


def audio_link(content_sha256: str) -> str:
    """Return the path of the audio with this content hash, in hexadecimal, on the dashboard."""
    return f"{AUDIO_PATH}/{_signer().sign(content_sha256).decode()}"


def linked_content(signed: str) -> str | None:
    """Return the content hash in the last part of a link, or None if the link is not valid."""
    try:
        return _signer().unsign(signed, max_age=PERIOD_SECONDS).decode()
    except BadSignature:  # This includes links that are too old.
        return None


@cache
def _signer() -> _PeriodSigner:
    return _PeriodSigner(secrets.token_bytes(32))
