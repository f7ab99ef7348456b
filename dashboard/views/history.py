"""History: any past run against any other, how every summary moved, and what was published."""

from collections.abc import Sequence

import streamlit as st

from dashboard import baseline, cached, compared, empty, markup, trends
from mirpipe.db import reports
from mirpipe.db.reports import history

PARTS = ("runs", "trends", "published")


def named(moment: history.Moment) -> str:
    """A run with its time and the size of its library."""
    return (
        f"run {moment.run_id} · {markup.moment(moment.finished_at)} · "
        f"{moment.references:,} references, {moment.targets:,} targets, {moment.clips:,} clips"
    )


def choose(
    moments: Sequence[history.Moment], link: str, label: str, *, default: history.Moment
) -> history.Moment:
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


def two_runs(key: cached.Key, moments: Sequence[history.Moment]) -> None:
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
    compared.results(key, then, now)


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
    run = reports.latest_run()
    key = cached.key(run) if run else None
    if part == "published":
        baseline.section(key)
    elif key is None:
        if cached.library():
            empty.results()
        else:
            empty.library()
    elif part == "trends":
        trends.section(key, cached.moments(key))
    else:
        two_runs(key, cached.moments(key))


main()
