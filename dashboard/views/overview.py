"""Overview: how good the answers are, what is there, what is pending, what runs changed."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard import cached, charts, empty, markup, rating
from mirpipe.db import reports

# Melody accuracy of unrelated pairs, as the definition's source measures it.
CHANCE = 0.085

NEARNESS = (
    ("cosine", "cosine (own space)", 3),
    ("z", "z", 2),
    ("percentile", "percentile", 1),
    ("melody_accuracy", "melody accuracy, all", 3),
    ("melody_accuracy_melodic", "melody accuracy, pitched", 3),
)


def results(run: reports.Run) -> None:
    """The summary by encoder: a table to read off, charts to compare."""
    rows = cached.summary(cached.key(run))
    st.subheader("How near are the nearest?", anchor=False)
    st.caption(
        "Every target's first answer, by encoder: mean ± sd. A cosine lies in its encoder's own "
        "space and cannot be compared between encoders; z (standard deviations above the target's "
        "cosines to the whole library) can."
    )
    if not rows:
        st.info("The last run found no answers: is there a target and a reference?")
        return
    summary_table("Summary by encoder", NEARNESS, rows)
    if any(row.random for row in rows):
        st.caption("Random weights: a stand-in for a model, whose numbers say nothing about music.")
    z, cosine, melody = st.columns(3, gap="medium")
    with z:
        chart(rows, "z", "z: compare these", "sd above the library's mean")
    with cosine:
        chart(rows, "cosine", "cosine: do not compare these", "cosine, each in its own space")
    with melody:
        chart(
            rows,
            "melody_accuracy_melodic",
            "melody accuracy, pitched pairs",
            f"share of frames; dashed: chance, {CHANCE}",
            mark=CHANCE,
        )
    aesthetics(rows)


def aesthetics(rows: Sequence[reports.Summary]) -> None:
    """What a model says of the answers, where one was asked."""
    scored = [row for row in rows if row.metric in {metric for metric, _, _ in rating.AXES}]
    if not scored:
        return
    st.subheader("How good do the nearest sound?", anchor=False)
    st.caption(
        "Every target's first answer, by encoder: mean ± sd of what listeners would give it, 1 to "
        "10 points, as Audiobox Aesthetics predicts it: content enjoyment, content usefulness, "
        "production complexity, production quality."
    )
    if scored[0].metric_random:
        markup.show(markup.badge(f"Audiobox Aesthetics: {markup.RANDOM}"))
    summary_table("Aesthetics by encoder", rating.AXES, rows)


def summary_table(
    title: str, columns: Sequence[tuple[str, str, int]], rows: Sequence[reports.Summary]
) -> None:
    """One line an encoder, one cell a metric with its n."""
    found = {(row.encoder, row.metric): row for row in rows}
    random = {row.encoder for row in rows if row.random and not row.metric_random}
    lines = []
    for encoder in dict.fromkeys(row.encoder for row in rows):
        name = markup.title(encoder)
        if encoder in random:
            name += Markup("<br>") + markup.badge(markup.RANDOM)
        of_encoder = [found.get((encoder, metric)) for metric, _, _ in columns]
        cells = [
            summary_cell(row, digits)
            for row, (_, _, digits) in zip(of_encoder, columns, strict=True)
        ]
        licences = dict.fromkeys(row.licence_weights for row in of_encoder if row)
        lines.append([name, *cells, ", ".join(filter(None, licences)) or markup.DASH])
    heads = ["encoder", *(head for _, head, _ in columns), "licence of weights"]
    markup.show(markup.table(title, heads, lines, numeric=range(1, len(columns) + 1)))


def summary_cell(row: reports.Summary | None, decimals: int) -> Markup:
    """Mean ± sd above n, with how many are undefined where any are."""
    if row is None:
        return Markup(markup.DASH)
    return markup.averaged(row.mean, row.sd, row.n, row.undefined_n, decimals)


def chart(
    rows: Sequence[reports.Summary], metric: str, head: str, axis: str, *, mark: float | None = None
) -> None:
    """One metric's chart under its name."""
    chosen = [row for row in rows if row.metric == metric and row.mean is not None]
    st.markdown(f"**{head}**")
    if chosen:
        st.altair_chart(charts.comparison(chosen, axis=axis, mark=mark), alt=f"{head}, by encoder")
    else:
        st.caption("No pair has a number.")


def library(counts: Sequence[reports.LibraryCount]) -> None:
    """Tracks and length by collection and state."""
    st.subheader("Library", anchor=False)
    lines = [
        [row.collection, row.state, markup.number(row.tracks, 0), markup.length(row.seconds)]
        for row in counts
    ]
    markup.show(
        markup.table("Library", ["collection", "state", "tracks", "length"], lines, numeric=(2, 3))
    )


def pending(work: Sequence[reports.Pending]) -> None:
    """What the next run will do."""
    st.subheader("Pending work", anchor=False)
    if not work:
        st.caption("None: everything is up to date.")
        return
    lines = [[row.stage, row.plugin, markup.number(row.items, 0)] for row in work]
    markup.show(markup.table("Pending work", ["stage", "plug-in", "items"], lines, numeric=(2,)))
    st.caption("The next scheduled run does it; `mirpipe run` does it now.")


def last_runs(runs: Sequence[reports.Run]) -> None:
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
    latest = runs[0]
    if latest.changes:
        with st.expander(f"What run {latest.run_id} changed"):
            table = pd.DataFrame(cached.changes(cached.key(latest)))
            st.dataframe(table, hide_index=True, alt="First answers that changed")


def top(counts: Sequence[reports.LibraryCount], run: reports.Run | None) -> None:
    """The page's few large numbers, and how fresh the results are."""
    usable = {row.collection: row for row in counts if row.state == "ok"}
    figures = [
        (f"{name}s", markup.number(row.tracks, 0), markup.length(row.seconds))
        for name, row in usable.items()
    ]
    waiting = sum(row.items for row in cached.pending())
    failed = cached.failure_counts()
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
    for plugin in cached.unavailable():
        st.warning(f"{plugin.name} is unavailable.", icon=":material/extension_off:")
        st.text(plugin.message)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Overview", anchor=False)
    counts = cached.library()
    runs = reports.runs()
    if not counts:
        empty.library()
        return
    top(counts, runs[0] if runs else None)
    unavailable()
    if runs:
        results(runs[0])
    else:
        empty.results()
    left, right = st.columns(2, gap="large")
    with left:
        library(counts)
    with right:
        pending(cached.pending())
    if runs:
        last_runs(runs)


main()
