"""Computes what Postgres stores instead of a password, so that no password reaches a log.

psycopg2 can compute it only with an open connection, but the SQL for an administrator is printed
without one.
"""

import hashlib
import hmac
import os
import stringprep
import unicodedata
from base64 import b64encode

_ITERATIONS = 4096
"""Postgres uses the same number by default."""


def scram_verifier(password: str) -> str:
    """Return a SCRAM-SHA-256 verifier for CREATE ROLE … PASSWORD, with a random salt (RFC 5803)."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", _normalised(password).encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _normalised(password: str) -> str:
    """Return the password as clients send it: mapped and normalised as in RFC 4013 (SASLprep)."""
    mapped = (
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    return unicodedata.normalize("NFKC", "".join(mapped))
