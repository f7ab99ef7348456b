"""Says which plug-ins are left out on this machine, and the remedy."""

import logging

from rich.console import Console

from mirpipe import logs
from mirpipe.db import queries

_log = logging.getLogger("mirpipe.plugins")


def say_unavailable() -> bool:
    """Prints a line on stderr for every wanted plug-in that cannot run; returns whether any is."""
    wanting = queries.unavailable()
    for plugin in wanting:
        said = f"{plugin.name} is unavailable: {plugin.message}"
        if logs.is_json():
            _log.warning(said, extra={"reason": plugin.reason})
            continue
        Console(stderr=True).print(
            said,
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return bool(wanting)
