"""Overview: what is there and how it grew, what is pending or failed, what runs changed."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import charts, empty_states, markup, tables
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries import run_history

NAMES = {"target": "targets", "reference": "references", "generated": "clips"}


def library(counts: Sequence[queries.LibraryCount]) -> None:
    """Tracks and length by collection and state."""
    st.subheader("Library", anchor=False)
    lines = [
        [row.collection, row.state, markup.number(row.tracks, 0), markup.length(row.seconds)]
        for row in counts
    ]
    markup.show(
        markup.table("Library", ["collection", "state", "tracks", "length"], lines, numeric=(2, 3))
    )
    tables.download(counts, name="Library")


def growth(moments: Sequence[run_history.Moment]) -> None:
    """How many tracks there were at each run."""
    st.subheader("Growth", anchor=False)
    if len(moments) < 2:
        st.caption("From the second run on, a curve shows how the library grew.")
        return
    points = pd.DataFrame(
        [
            {"run": one.run_id, "finished": one.finished_at, "tracks": count, "collection": name}
            for one in reversed(moments)
            for name, count in (
                ("references", one.references),
                ("targets", one.targets),
                ("clips", one.clips),
            )
        ]
    )
    st.altair_chart(charts.growth(points), alt="Usable tracks by collection, at each run")
    tables.download(moments, name="Growth")


def encoders(rows: Sequence[queries.EncoderRevision]) -> None:
    """Who answers: revision, dimension, licences; and who will."""
    st.subheader("Encoders", anchor=False)
    if not rows:
        st.caption("None yet: the first run registers those of the settings.")
        return
    lines = []
    for row in rows:
        name = markup.title(row.encoder)
        if row.random:
            name += Markup("<br>") + markup.badge(markup.RANDOM)
        state = "answers" if row.serving else "being made"
        if row.serving and not row.wanted:
            state = "answers, until its successor is complete"
        lines.append(
            [
                name,
                state,
                Markup("<code>{}</code>").format(row.revision[:12]),
                markup.number(row.dimension, 0),
                row.checkpoint or markup.DASH,
                row.licence_code or markup.DASH,
                row.licence_weights or markup.DASH,
            ]
        )
    heads = ["encoder", "state", "revision", "dimensions", "weights", "licence of code"]
    markup.show(
        markup.table("Encoders", [*heads, "licence of weights"], lines, numeric=(3,)),
    )
    tables.download(rows, name="Encoders")


def pending(work: Sequence[queries.Pending]) -> None:
    """What the next run will do."""
    st.subheader("Pending work", anchor=False)
    if not work:
        st.caption("None: everything is up to date.")
        return
    lines = [[row.stage, row.plugin, markup.number(row.items, 0)] for row in work]
    markup.show(markup.table("Pending work", ["stage", "plug-in", "items"], lines, numeric=(2,)))
    tables.download(work, name="Pending work")
    st.caption("The next scheduled run does it; `mirpipe run` does it now.")


def last_runs(runs: Sequence[queries.Run]) -> None:
    """The last runs and how many first answers each changed."""
    st.subheader("Last runs", anchor=False)
    lines = [
        [
            str(run.run_id),
            markup.together(markup.moment(run.finished_at)),
            run.trigger,
            markup.number(run.library.get("target ok", 0), 0),
            markup.number(run.library.get("reference ok", 0), 0),
            ", ".join(f"{cause}: {n:,}" for cause, n in run.changes.items()) or "none",
        ]
        for run in runs
    ]
    heads = ["run", "finished", "trigger", "targets", "references", "first answers changed"]
    markup.show(markup.table("Last runs", heads, lines, numeric=(3, 4)))
    tables.download([asdict(run) for run in runs], name="Last runs")
    latest = runs[0]
    if latest.changes:
        with st.expander(f"What run {latest.run_id} changed"):
            changed = pd.DataFrame(cached_queries.changes(cached_queries.key(latest)))
            tables.frame(changed, name="First answers that changed")


def top(counts: Sequence[queries.LibraryCount], run: queries.Run | None) -> None:
    """The page's few large numbers, and how fresh the results are."""
    usable = {row.collection: row for row in counts if row.state == "ok"}
    figures = [
        (NAMES.get(name, name), markup.number(row.tracks, 0), markup.length(row.seconds))
        for name, row in usable.items()
    ]
    waiting = sum(row.items for row in cached_queries.pending())
    failed = cached_queries.failure_counts()
    again = sum(row.items for row in failed if row.retry)
    figures.append(("pending", markup.number(waiting, 0), "items of work"))
    total = markup.number(sum(row.items for row in failed), 0)
    figures.append(("failures", total, f"{again:,} to be tried again"))
    markup.show(markup.figures(figures))
    if run:
        st.caption(
            f"Results of run {run.run_id}, made {markup.moment(run.finished_at)}, "
            f"last found unchanged {markup.moment(run.confirmed_at)}."
        )


def unavailable() -> None:
    """Says which plug-ins are left out on the machine of the pipeline, and the remedy."""
    for plugin in cached_queries.unavailable():
        st.warning(f"{plugin.name} is unavailable.", icon=":material/extension_off:")
        st.text(plugin.message)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Overview", anchor=False)
    counts = cached_queries.library()
    runs = queries.runs()
    if not counts:
        empty_states.library()
        return
    top(counts, runs[0] if runs else None)
    unavailable()
    if not runs:
        empty_states.results()
    left, right = st.columns(2, gap="large")
    with left:
        library(counts)
        pending(cached_queries.pending())
    with right:
        if runs:
            growth(cached_queries.moments(cached_queries.key(runs[0])))
    if runs:
        last_runs(runs)
        encoders(cached_queries.encoders(cached_queries.key(runs[0])))


main()
