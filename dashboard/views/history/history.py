"""History: any past run against any other, how every summary moved, and what was published."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import empty_states, markup
from dashboard.data import cached_queries
from dashboard.views.history import published_tables, run_differences, summary_trends
from mirpipe.db import queries
from mirpipe.db.queries import run_history

PARTS = ("runs", "trends", "published")


def named(moment: run_history.Moment) -> str:
    """A run with its time and the size of its library."""
    return (
        f"run {moment.run_id} · {markup.moment(moment.finished_at)} · "
        f"{moment.references:,} references, {moment.targets:,} targets, {moment.clips:,} clips"
    )


def choose(
    moments: Sequence[run_history.Moment], link: str, label: str, *, default: run_history.Moment
) -> run_history.Moment:
    """The run that the address names, else the default; the address then holds it."""
    by_id = {str(one.run_id): one for one in moments}
    wanted = st.query_params.get(link)
    if wanted in by_id:
        st.session_state[link] = wanted
    elif wanted:
        st.warning(f"The link names run {wanted!r}, which is not among the last {len(moments):,}.")
    st.session_state.setdefault(link, str(default.run_id))

    def follow() -> None:
        st.query_params[link] = st.session_state[link]

    run_id = st.selectbox(
        label,
        list(by_id),
        format_func=lambda one: named(by_id[one]),
        key=link,
        on_change=follow,
    )
    st.query_params[link] = run_id
    return by_id[run_id]


def two_runs(key: cached_queries.Key, moments: Sequence[run_history.Moment]) -> None:
    """Any run against any other, by default the last against the one before it."""
    if len(moments) < 2:
        st.info("There is one run so far, and nothing to compare it with.")
        st.markdown("A second one comes with the next change, as when tracks are added:")
        st.code("mirpipe ingest ~/music/library --collection reference\nmirpipe run", language=None)
        return
    left, right = st.columns(2)
    with left:
        then = choose(moments, "then", "Then", default=moments[1])
    with right:
        now = choose(moments, "now", "Now", default=moments[0])
    run_differences.results(key, then, now)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("History", anchor=False)
    part = st.segmented_control(
        "Show",
        PARTS,
        default="runs",
        key="part",
        bind="query-params",
        required=True,
    )
    run = queries.latest_run()
    key = cached_queries.key(run) if run else None
    if part == "published":
        published_tables.section(key)
    elif key is None:
        if cached_queries.library():
            empty_states.results()
        else:
            empty_states.library()
    elif part == "trends":
        summary_trends.section(key, cached_queries.moments(key))
    else:
        two_runs(key, cached_queries.moments(key))


main()
