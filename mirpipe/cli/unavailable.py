"""Says which plug-ins are left out on this machine, and the remedy."""

from rich.console import Console

from mirpipe.db import reports


def say_unavailable() -> bool:
    """Prints a line on stderr for every wanted plug-in that cannot run; returns whether any is."""
    wanting = reports.unavailable()
    for plugin in wanting:
        Console(stderr=True).print(
            f"{plugin.name} is unavailable: {plugin.message}",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return bool(wanting)
