"""Formats the figures of the pages in Chromium as a Markdown table."""

from collections.abc import Mapping
from typing import Any

NOT_MEASURED = "## The pages in a browser\n\nNot measured.\n"
GOALS = {"server": 1.0, "browser": 2.5, "kB": 300.0}
"""Largest seconds on the server, seconds in the browser, and kB of a page view."""
MAX_SESSION_MB = 50.0
"""Largest memory of a session, more than that of an idle one."""
COLUMNS = ("server, first", "server, again", "browser, first", "browser, again", "kB")


def section(result: Mapping[str, Any] | None) -> str:
    """Return the page section: one row per page. Figures above their goal are bold."""
    if not result:
        return NOT_MEASURED
    library, memory = result["library"], result["memory"]
    lines = [
        "## The pages in a browser\n\n"
        f"Chromium opens each page by its address, in a library of {library['references']:,} "
        f"references, {library['targets']:,} targets, {library['encoders']} encoders and "
        f"{library['runs']} runs, with the indexes of `mirpipe db index`. The first time, the "
        "server has read only what it reads ahead after each run. "
        "`server` is the time of the page's script, `browser` the time until the page is drawn, "
        "both in seconds, and `kB` is what the WebSocket carries. The goals are "
        f"{GOALS['server']:g} s, {GOALS['browser']:g} s and {GOALS['kB']:g} kB; figures above "
        f"them are bold. The load of the machine was {result['load']:.1f}.\n\n"
        f"| page | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}\n"
    ]
    for name, figures in result["pages"].items():
        cells = [_cell(column, figures[column]) for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |\n")
    lines.append(
        f"\nA session that has opened the largest pages takes {memory['session']:.0f} MB more than "
        f"an idle one (goal: {MAX_SESSION_MB:.0f} MB). The caches of all pages, which the "
        f"sessions share, take {memory['caches, all pages']:.0f} MB.\n"
    )
    return "".join(lines)


def _cell(column: str, value: float) -> str:
    text = f"{value:,.0f}" if column == "kB" else f"{value:,.2f}"
    return f"**{text}**" if value > GOALS[column.partition(",")[0]] else text
