"""Names, comments and columns of the views that readers can use."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Column:
    """A column of a view."""

    name: str
    type: str
    """SQL type of the column."""
    comment: str
    """Description of the column. Empty if there is none."""


@dataclass(frozen=True)
class View:
    """A view that readers can use, with its columns in order."""

    name: str
    comment: str
    """Description of the view. Empty if there is none."""
    vectors: bool
    """Whether the view contains an encoder's vectors."""
    columns: list[Column]


_VIEWS = text(r"""
    SELECT c.relname AS name, coalesce(obj_description(c.oid), '') AS comment,
        c.relname ~ '^v_embedding_\d+$' AS vectors,
        jsonb_agg(jsonb_build_object('name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'comment', coalesce(col_description(c.oid, a.attnum), '')) ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'v\_%'
        AND has_table_privilege(c.oid, 'SELECT')
    GROUP BY c.oid, c.relname ORDER BY length(regexp_replace(c.relname, '\D', '', 'g')), c.relname
""")


def describe_views(connection: Connection) -> list[View]:
    """Return every view that the connection's role is allowed to read, sorted by name.

    Views that contain vectors come last.
    """
    return [
        View(row.name, row.comment, row.vectors, [Column(**column) for column in row.columns])
        for row in connection.execute(_VIEWS)
    ]
