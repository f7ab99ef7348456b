"""Writes docs/reference/: commands, settings and tables, as the code and the database say.

    python -m tools.write_reference_docs

asks the database of the settings (`mirpipe db up` starts one); a test holds the pages to the code.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import typer
from sqlalchemy import Connection, text
from typer.cli import get_docs_for_click

from mirpipe.cli.main import app
from mirpipe.db.engine import engine
from mirpipe.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_MADE = "<!-- Made by `make reference`; do not edit. -->"

_COLUMNS = text("""
    SELECT c.relname AS relation, c.relkind = 'v' AS is_view,
        obj_description(c.oid, 'pg_class') AS said, a.attname AS name,
        format_type(a.atttypid, a.atttypmod) AS type, col_description(c.oid, a.attnum) AS meaning
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'mirpipe'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
      AND c.relname !~ '^v_embedding_\\d+$'
    ORDER BY c.relname, a.attnum
""")
_KINDS = (
    ("Views for readers", "Stable: columns are added, at the end, and never change their meaning."),
    ("What is missing", "One view a stage; the next run makes these rows."),
    ("Tables", "What the views rest on. Read the views where one has what you look for."),
)


def commands() -> str:
    """Every command of `mirpipe` with its help."""
    command = typer.main.get_command(app)
    context = click.Context(command, info_name="mirpipe")
    told = get_docs_for_click(obj=command, ctx=context, name="mirpipe", title="Commands")
    return "\n".join([_MADE, "", *(line.rstrip() for line in told.strip().splitlines()), ""])


def settings() -> str:
    """Every setting: its variable, what it is and its default."""
    lines = [
        *(_MADE, "", "# Settings", ""),
        "Each is an environment variable; `mirpipe settings` shows their present values. Lists of",
        "folders are separated as in PATH, other lists by commas.",
        *("", "| variable | what it is | default |", "|---|---|---|"),
    ]
    for name, field in Settings.model_fields.items():
        described = " ".join((field.description or "").split())
        lines.append(f"| `MIRPIPE_{name.upper()}` | {_cell(described)} | {_default(name)} |")
    return "\n".join([*lines, ""])


def tables(connection: Connection) -> str:
    """Every view and table that a reader may see, with its columns and their comments."""
    parts: dict[int, list[str]] = {kind: [] for kind in range(len(_KINDS))}
    last = None
    for row in connection.execute(_COLUMNS):
        lines = parts[_kind(row.relation, row.is_view)]
        if row.relation != last:
            lines += ["", f"### {row.relation}", "", row.said or ""]
            lines += ["", "| column | type | meaning |", "|---|---|---|"]
            last = row.relation
        lines.append(f"| `{row.name}` | {row.type} | {_cell(row.meaning or '')} |")
    page = [
        _MADE,
        "",
        "# Views and tables",
        "",
        "Schema `mirpipe`; the role `mirpipe_read` sees all.",
    ]
    for (heading, said), lines in zip(_KINDS, parts.values(), strict=True):
        page += ["", f"## {heading}", "", said, *lines]
    return "\n".join([*page, ""])


def pages(connection: Connection) -> Iterator[tuple[str, str]]:
    """File name and text of every page."""
    yield "commands.md", commands()
    yield "settings.md", settings()
    yield "tables.md", tables(connection)


def _kind(relation: str, is_view: bool) -> int:
    if not is_view:
        return 2
    return 0 if relation.startswith("v_") else 1


def _default(name: str) -> str:
    """As text that is the same on every machine."""
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        return "(see left)"
    value = field.default
    if name == "modes":
        return ", ".join(f"`{mode.name}`" for mode in value)
    if isinstance(value, list):
        value = ",".join(map(str, value))
    return "" if value in (None, "") else f"`{value}`"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with engine("reader").connect() as connection:
        for name, told in pages(connection):
            (FOLDER / name).write_text(told)


if __name__ == "__main__":
    main()
