"""Prints which configured plug-ins cannot run on this machine, and what to do about it."""

import logging

from rich.console import Console

from mirpipe import logs
from mirpipe.db import queries

_log = logging.getLogger("mirpipe.plugins")


def print_unavailable_plugins() -> bool:
    """Print one line on stderr for each configured plug-in that cannot run on this machine.

    Returns whether there are any such plug-ins. In JSON logs, each line is a warning with the
    reason code.
    """
    plugins = queries.unavailable_plugins()
    for plugin in plugins:
        message = f"{plugin.name} is unavailable: {plugin.message}"
        if logs.is_json():
            _log.warning(message, extra={"reason": plugin.reason})
            continue
        Console(stderr=True).print(
            message,
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return bool(plugins)
