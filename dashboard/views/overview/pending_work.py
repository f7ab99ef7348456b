"""Pending work with the time that is left, updated while a run is in progress."""

import time
from dataclasses import dataclass

import streamlit as st

from dashboard.components import markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_duration, format_number
from dashboard.data import cached_queries
from dashboard.data.current_state import POLLING_SECONDS
from dashboard.data.running_up import UP_IS_RUNNING, is_up_running
from dashboard.data.work_rates import WorkRates
from mirpipe.db import queries

ANCHOR = "pending"
"""Name of the section in links."""
_OF_EVERY_TRACK = {"embed", "analyse"}
"""Stages that process each usable track once with each plug-in."""


@dataclass(frozen=True)
class Shown:
    """What the rest of the page shows. If it changes, the page is out of date."""

    tracks: int
    """Number of tracks in all collections and states."""
    run_id: int | None
    """Id of the last run, or None if there is none."""


def current() -> Shown:
    """Return what a page that is drawn now shows."""
    run = cached_queries.latest_run()
    tracks = sum(row.tracks for row in cached_queries.library_counts())
    return Shown(tracks, run.run_id if run else None)


@st.cache_resource
def work_rates() -> WorkRates:
    """Return the rates that all viewers share."""
    return WorkRates()


@st.fragment(run_every=POLLING_SECONDS)
def section(shown: Shown) -> None:
    """Draw the pending work. Reload the page if tracks were added or a run has finished."""
    if current() != shown:
        st.rerun()
    if not shown.tracks:
        return
    work = cached_queries.pending_work()
    st.header("What is pending?", anchor=ANCHOR)
    if not work:
        st.caption("No work is pending: all results are up to date.")
        return
    rates = work_rates()
    rates.observe(time.monotonic(), {(row.stage, row.plugin): row.items for row in work})
    left = [rates.seconds_left((row.stage, row.plugin)) for row in work]
    if any(seconds is not None for seconds in left):
        st.caption("A run is doing this work now. The numbers are updated every 10 seconds.")
    elif is_up_running():
        st.caption(
            f"{UP_IS_RUNNING}, and does this work now or at its next scheduled time. The numbers "
            "are updated every 10 seconds."
        )
    else:
        st.caption("The next scheduled run does this work. To do it now, run `mirpipe run`.")
    counts = cached_queries.library_counts()
    usable = sum(row.tracks - row.without_audio for row in counts if row.state == "ok")
    lines = [
        [
            row.stage,
            row.plugin,
            _progress(row, usable),
            format_number(row.items, 0),
            DASH if seconds is None else f"about {format_duration(seconds)}",
        ]
        for row, seconds in zip(work, left, strict=True)
    ]
    columns = ["stage", "plug-in", "done", "items left", "time left"]
    markup.show(tables.html_table("Pending work", columns, lines, numeric=(2, 3, 4)))
    download_button(work, name="Pending work")


def _progress(work: queries.PendingWork, usable: int) -> str:
    """Return how many of the usable tracks are done, or a dash for work on other items."""
    if work.stage not in _OF_EVERY_TRACK or work.items > usable:
        return DASH
    return f"{format_number(usable - work.items, 0)} of {format_number(usable, 0)} tracks"
