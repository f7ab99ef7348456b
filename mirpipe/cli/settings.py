"""`mirpipe settings`: every setting and its present value."""

import json

from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.result_tables import escaped, wide_console
from mirpipe.settings import Settings
from mirpipe.settings import settings as read_settings


def settings(as_json: AsJson = False) -> None:
    """List every setting, its variable and its present value; passwords are hidden."""
    shown = {
        f"MIRPIPE_{name.upper()}": _shown(name, getattr(read_settings(), name))
        for name in Settings.model_fields
    }
    if as_json:
        print(json.dumps(shown))
        return
    table = Table("variable", "value", box=None)
    for variable, value in shown.items():
        table.add_row(variable, escaped(value))
    wide_console().print(table)


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if name.endswith(("_url", "_password")):
        return "(set)"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
