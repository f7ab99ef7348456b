"""History page: compares two runs, and shows trends, gates and the published tables."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import answer, empty_states
from dashboard.components.number_format import format_local_time
from dashboard.components.page_choice import first_page
from dashboard.data import cached_queries
from dashboard.views.history import gates, published_tables, run_differences, summary_trends
from mirpipe.db import queries

PARTS = ("runs", "trends", "gates", "published")


def run_name(run: queries.PastRun) -> str:
    """Return a text with the id and time of a run and the size of its library."""
    return (
        f"run {run.run_id} · {format_local_time(run.finished_at)} · "
        f"{run.references:,} references, {run.targets:,} targets, {run.clips:,} clips"
    )


def choose_run(
    runs: Sequence[queries.PastRun], parameter: str, label: str, *, default: queries.PastRun
) -> queries.PastRun:
    """Draw a run selector and return the chosen run.

    Initially, the run in the query parameter is chosen, or else the default run.
    """
    run_of = {str(run.run_id): run for run in runs}
    requested = st.query_params.get(parameter)
    if requested in run_of:
        st.session_state[parameter] = requested
    elif requested:
        st.warning(
            f"Run {requested!r} in this link is not among the last {len(runs):,} runs. Choose "
            "another run."
        )
    st.session_state.setdefault(parameter, str(default.run_id))

    def update_address() -> None:
        st.query_params[parameter] = st.session_state[parameter]
        first_page()

    run_id = st.selectbox(
        label,
        list(run_of),
        format_func=lambda run_id: run_name(run_of[run_id]),
        key=parameter,
        on_change=update_address,
    )
    st.query_params[parameter] = run_id
    return run_of[run_id]


def two_runs(key: cached_queries.RunKey, runs: Sequence[queries.PastRun]) -> None:
    """Compare two runs that the viewer chooses. By default, these are the last two runs."""
    if len(runs) < 2:
        st.info("There is only one run so far, so there is nothing to compare it with.")
        st.markdown("A change creates the next run. For example, add tracks:")
        st.code("mirpipe ingest ~/music/library --collection reference\nmirpipe run", language=None)
        return
    left, right = st.columns(2)
    with left:
        then = choose_run(runs, "then", "Then", default=runs[1])
    with right:
        now = choose_run(runs, "now", "Now", default=runs[0])
    run_differences.section(key, then, now)


def main() -> None:
    """Draw the chosen part of the page, or a message if there is nothing to show."""
    st.title("History", anchor=False)
    part = st.segmented_control(
        "Show",
        PARTS,
        default="runs",
        key="part",
        bind="query-params",
        required=True,
    )
    if part == "published":
        run = cached_queries.latest_run()
        published_tables.section(cached_queries.run_key(run) if run else None)
        return
    if part == "gates":
        gates.section()
        return
    run = empty_states.latest_run()
    if run is None:
        return
    key = cached_queries.run_key(run)
    if part == "trends":
        summary_trends.section(key, cached_queries.past_runs(key))
    else:
        answer.show(queries.run_answer(run))
        two_runs(key, cached_queries.past_runs(key))


main()
