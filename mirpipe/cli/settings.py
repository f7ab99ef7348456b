"""`mirpipe settings`: lists all settings and their current values."""

import json
from dataclasses import asdict

from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.generation.modes import Mode
from mirpipe.settings import Settings
from mirpipe.settings import settings as current_settings


def settings(as_json: AsJson = False) -> None:
    """List all settings and their current values.

    Each setting is an environment variable. Passwords, database URLs and addresses of
    messages are hidden.
    """
    values = {
        f"MIRPIPE_{name.upper()}": _as_text(name, getattr(current_settings(), name))
        for name in Settings.model_fields
    }
    if as_json:
        print(json.dumps(values))
        return
    table = Table("variable", "value", box=None)
    for variable, value in values.items():
        table.add_row(variable, escape_markup(value))
    print_table(wide_console(), table)


def _as_text(name: str, value: object) -> str:
    """Return the value as it is written in the environment variable, without secrets."""
    if value is None:
        return ""
    if name == "notify" or name.endswith(("_url", "_password", "_token")):
        return "(set)"
    if isinstance(value, list):
        modes = [json.dumps(asdict(each)) for each in value if isinstance(each, Mode)]
        return f"[{', '.join(modes)}]" if modes else ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
