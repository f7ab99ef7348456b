"""Overview page: the library and its growth, pending work, failures, runs and encoders."""

from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st
from markupsafe import Markup

from dashboard.components import answer, empty_states, markup, tables
from dashboard.components.bar_list import filter_link
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import (
    DASH,
    format_duration,
    format_local_time,
    format_number,
)
from dashboard.components.plugin_labels import plugin_cell
from dashboard.data import cached_queries, current_state
from dashboard.views.overview import (
    changed_matches,
    library_growth,
    pending_work,
    waiting_revisions,
)
from mirpipe.db import queries
from mirpipe.settings import settings

COLLECTION_NAMES = {"target": "targets", "reference": "references", "generated": "clips"}

AIRFLOW_TRIGGERS = {
    "asset_triggered": "new data",
    "scheduled": "schedule",
    "manual": "started in Airflow",
}
"""What started a DAG run, by the first part of its name."""


def library_section(counts: Sequence[queries.LibraryCount]) -> None:
    """Draw the number of tracks and their total duration by collection and state."""
    st.header("What is in the library?", anchor=False)
    lines = [
        [
            COLLECTION_NAMES.get(row.collection, row.collection),
            row.state + (f", {row.without_audio:,} without audio" if row.without_audio else ""),
            format_number(row.tracks, 0),
            format_duration(row.seconds),
        ]
        for row in counts
    ]
    columns = ["collection", "state", "tracks", "length"]
    markup.show(tables.html_table("Library", columns, lines, numeric=(2, 3)))
    download_button(counts, name="Library")


def encoder_section(rows: Sequence[queries.EncoderRevision]) -> None:
    """Draw the active and the configured revision of each encoder."""
    st.header("Which encoders are in use?", anchor=False)
    if not rows:
        st.caption("There are no encoders yet. The first run registers the configured encoders.")
        return
    lines = [
        [
            plugin_cell(row.encoder, random=row.random),
            revision_state(row) + imported_vectors(row),
            Markup("<code>{}</code>").format(row.revision[:12]),
            format_number(row.dimension, 0),
            DASH if row.coverage is None else f"{format_number(100 * row.coverage, 1)}%",
            row.checkpoint or DASH,
            row.licence_code or DASH,
            row.licence_weights or DASH,
        ]
        for row in rows
    ]
    columns = ["encoder", "state", "revision", "dimensions", "coverage", "weights"]
    columns += ["licence of code", "licence of weights"]
    markup.show(tables.html_table("Encoders", columns, lines, numeric=(3, 4)))
    download_button(rows, name="Encoders")


def revision_state(row: queries.EncoderRevision) -> str:
    """Return the state of a revision: configured, active, or active but about to be replaced."""
    if not row.serving:
        return "configured, not active yet"
    return "active" if row.wanted else "active until the configured revision takes over"


def imported_vectors(row: queries.EncoderRevision) -> str:
    """Return the number of imported vectors, or an empty text if there are none."""
    return f"; {format_number(row.imported_n, 0)} imported vectors" if row.imported_n else ""


def run_section(runs: Sequence[queries.Run]) -> None:
    """Draw the last runs and the number of best matches that each run changed."""
    st.header("What did the last runs change?", anchor=False)
    lines = [
        [
            str(run.run_id),
            markup.no_wrap(format_local_time(run.finished_at)),
            trigger_name(run.trigger),
            format_number(run.library.get("target ok", 0), 0),
            format_number(run.library.get("reference ok", 0), 0),
            markup.wide(", ".join(f"{cause}: {n:,}" for cause, n in run.changes.items()) or "none"),
        ]
        for run in runs
    ]
    columns = ["run", "finished", "trigger", "targets", "references", "best matches changed"]
    markup.show(tables.html_table("Last runs", columns, lines, numeric=(3, 4)))
    download_button([asdict(run) for run in runs], name="Last runs")
    changed_matches.section(runs[0])


def trigger_name(trigger: str) -> str:
    """Return what started a run. Airflow's names for its own runs are replaced by words."""
    kind, found, _ = trigger.partition("__")
    return AIRFLOW_TRIGGERS.get(kind, trigger) if found else trigger


def large_numbers(counts: Sequence[queries.LibraryCount], run: queries.Run | None) -> None:
    """Draw the most important numbers, and the times of the last run and of the last check."""
    usable = {row.collection: row for row in counts if row.state == "ok"}
    numbers: list[tuple[str | Markup, str, str]] = [
        (
            COLLECTION_NAMES.get(collection, collection),
            format_number(row.tracks, 0),
            format_duration(row.seconds),
        )
        for collection, row in usable.items()
    ]
    pending = sum(row.items for row in cached_queries.pending_work())
    to_pending = Markup("<a href='#{}'>pending</a>").format(pending_work.ANCHOR)
    numbers.append((to_pending, format_number(pending, 0), "items of work"))
    failures = cached_queries.failure_counts()
    total = sum(row.items for row in failures)
    retried = sum(row.items for row in failures if row.retry)
    to_failures = filter_link("failures", "failures")
    numbers.append((to_failures, format_number(total, 0), f"{retried:,} will be retried"))
    markup.show(markup.large_numbers(numbers))
    if run:
        st.caption(
            f"Results of run {run.run_id}, finished {format_local_time(run.finished_at)}, "
            f"last checked {format_local_time(run.confirmed_at)}."
        )


def unavailable_plugins() -> None:
    """Show the plug-ins that cannot run on the machine of the pipeline, with the remedies."""
    for plugin in current_state.read(queries.unavailable_plugins):
        st.warning(f"{plugin.name} is unavailable.", icon=":material/extension_off:")
        st.text(plugin.message)


def run_sentences(run: queries.Run) -> list[str]:
    """Return what the run changed, and how the answers of Retrieval and Generation begin."""
    key = cached_queries.run_key(run)
    matches = cached_queries.retrieval_summaries(key)
    clips = cached_queries.generation_summaries(key)
    encoders = cached_queries.encoder_comparisons(key)
    metric = queries.primary_metric_of_run(encoders, settings().primary_retrieval_metric)
    retrieval = queries.retrieval_answer(matches, encoders, primary_metric=metric)
    modes = cached_queries.mode_comparisons(key)
    metric = queries.primary_metric_of_run(modes, settings().primary_generation_metric)
    generation = queries.generation_answer(clips, modes, primary_metric=metric)
    return [queries.run_answer(run), *retrieval[:1], *generation[:1]]


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Overview", anchor=False)
    counts = cached_queries.library_counts()
    runs = cached_queries.last_runs()
    shown = pending_work.current()
    if not counts:
        empty_states.no_library()
        pending_work.section(shown)
        return
    if runs:
        answer.show(*run_sentences(runs[0]))
        st.page_link(
            "views/history/history.py", label="What earlier runs changed", icon=":material/history:"
        )
    large_numbers(counts, runs[0] if runs else None)
    unavailable_plugins()
    if not runs:
        empty_states.no_run()
    left, right = st.columns(2, gap="large")
    # In a narrow window, the left column is above the right one.
    with left:
        if runs:
            library_growth.section(cached_queries.past_runs(cached_queries.run_key(runs[0])))
    with right:
        library_section(counts)
        pending_work.section(shown)
    if runs:
        run_section(runs)
        waiting_revisions.section(current_state.read(queries.challengers))
        encoder_section(cached_queries.encoder_revisions(cached_queries.run_key(runs[0])))


main()
