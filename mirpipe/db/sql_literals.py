"""Quotes names and texts for SQL that is printed or written to a file, without a connection.

psycopg2's own quoting needs an open connection.
"""

from psycopg2.extensions import QuotedString


def identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return the text as an SQL string literal."""
    quoted = QuotedString(value)
    quoted.encoding = "utf-8"
    return quoted.getquoted().decode()
