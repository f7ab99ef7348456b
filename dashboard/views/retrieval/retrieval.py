"""Retrieval page: how similar each encoder's matches are, on average and for each target."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from dashboard.components import (
    aesthetics_rating,
    answer,
    charts,
    empty_states,
    group_summaries,
    heatmap,
    markup,
    metric_labels,
    tables,
)
from dashboard.components.csv_download import download_button
from dashboard.components.heatmap import Cell
from dashboard.components.melody_chance_level import MELODY_CHANCE_LEVEL
from dashboard.components.number_format import format_number
from dashboard.components.target_page import choose_targets
from dashboard.components.track_link import linked_title, track_links
from dashboard.data import cached_queries, target_orders
from dashboard.views.retrieval import encoder_scatter, encoder_summary
from dashboard.views.retrieval.match_rows import match_rows, meaningful_scores, worst_first
from dashboard.views.retrieval.similarity_scales import SCALES, SimilarityScale
from mirpipe.db import queries
from mirpipe.db.queries.library_counts import has_targets
from mirpipe.db.queries.same_recordings import same_recording_sentence
from mirpipe.db.queries.sentence_parts import counted, listed
from mirpipe.db.queries.target_order import ORDERS
from mirpipe.settings import settings


def rank_section(rows: Sequence[queries.RankSimilarity], scale: SimilarityScale) -> None:
    """Draw the mean similarity at each rank."""
    st.header("How quickly does similarity drop with rank?", anchor=False)
    st.caption(
        "Each dot is the mean over the matches of all targets at that rank. Matches that are left "
        "out have no rank here."
    )
    points = pd.DataFrame([asdict(row) for row in rows])[["encoder", "rank", scale.field, "n"]]
    chart = charts.lines_over_rank(
        points, y=scale.field, series="encoder", x_title="rank", y_title=scale.title
    )
    st.altair_chart(chart, alt=f"{scale.title}, by rank and encoder")
    download_button(list(rows), name="Similarity by rank")


def heatmap_section(
    rows: Sequence[queries.BestMatchScores],
    scale: SimilarityScale,
    summaries: Sequence[queries.RetrievalSummary],
) -> None:
    """Draw a heatmap of one metric by encoder and target."""
    st.caption(
        "Each cell shows the best match for one target by one encoder, without matches that are "
        "left out. The colours mean the same on all pages of targets. Point at a cell to see the "
        "title of the reference. Click a cell to open the page of the reference. "
        f"{heatmap.LEGEND}"
    )
    columns = list(dict.fromkeys(row.target for row in rows))
    encoders = list(dict.fromkeys(row.encoder for row in rows))
    rows = [row for row in meaningful_scores(rows) if row.counts]
    chance = f"chance: about {MELODY_CHANCE_LEVEL}"
    titles = {
        scale.field: f"Similarity as {scale.title}",
        "clap_similarity": "CLAP similarity of target and match",
        "aligned_melody": "Aligned melody of target and match (unrelated: up to 0.3)",
        "melody_accuracy": f"Melody accuracy of target and match ({chance})",
    }
    metric = heatmap.choose_metric(
        [name for name in titles if any(getattr(row, name) is not None for row in rows)]
    )
    if metric is None:
        return
    cells = [
        Cell(row.encoder, row.target, getattr(row, metric), row.reference, row.reference_id)
        for row in rows
    ]
    heatmap.show_heatmap(
        cells,
        rows=encoders,
        columns=columns,
        title=titles[metric],
        decimals=scale.decimals if metric == scale.field else metric_labels.decimals(metric),
        names=("encoder", "best match"),
        colours=heatmap.value_range(summaries, metric),
    )


def worst_match(rows: Sequence[queries.BestMatchScores], score: str, *, of_page: bool) -> None:
    """Draw which target has the lowest score. `rows` begins with the lowest scores.

    Encoders with random weights must be left out. `of_page` says that there are other targets.
    """
    counting = [row for row in meaningful_scores(rows) if row.counts]
    worst = next(iter(counting), None)
    value = None if worst is None else getattr(worst, score)
    if worst is None or value is None:
        return
    encoders = [
        row.encoder
        for row in counting
        if (row.target_id, row.reference_id) == (worst.target_id, worst.reference_id)
        and getattr(row, score) == value
    ]
    undefined = {row.target_id for row in counting} - {
        row.target_id for row in counting if getattr(row, score) is not None
    }
    links = track_links([worst.target_id, worst.reference_id])
    label = metric_labels.single_value_label(score)
    template = "{} is matched worst by {}: its best match by {} is {}, with {}.{}{}"
    markup.show(
        markup.sentence(
            template,
            linked_title(worst.target, links.get(worst.target_id)),
            label,
            listed(encoders),
            linked_title(worst.reference, links.get(worst.reference_id)),
            format_number(value, metric_labels.decimals(score)),
            f" {counted(len(undefined), 'target')} without {label} cannot be compared."
            if undefined
            else "",
            " Only the targets of this page are compared." if of_page else "",
        )
    )


def match_table(rows: Sequence[queries.BestMatchScores]) -> None:
    """Draw a table of the best matches with all their scores. The CSV file contains all targets.

    The matches with the lowest scores come first.
    """
    st.header("What is the best match of each target?", anchor=False)
    _, rows = worst_first(rows, settings().primary_retrieval_metric)
    if not all(row.counts for row in rows):
        st.caption(
            "Matches that are the same recording as their target are listed above its best match "
            "that counts."
        )
    if any(row.melodic is False for row in rows):
        st.caption("Melody accuracy has no meaning, and is left out, unless both are pitched.")
    data = match_rows(rows)
    number_column = st.column_config.NumberColumn
    tables.sortable_table(
        data,
        name="Best matches",
        all_rows=lambda: match_rows(queries.best_match_scores()),
        tracks=tables.track_ids(rows, target="target_id", reference="reference_id"),
        columns={
            "reference": "best match",
            **{
                name: number_column(
                    metric_labels.single_value_label(name),
                    format=f"%.{metric_labels.decimals(name)}f",
                )
                for name in data.columns
                if data[name].dtype == float
            },
            "melodic": "both pitched",
            "melody_shifted": number_column("at the best offset", format="%.3f"),
            "melody_offset": number_column("best offset (s)", format="%.3f"),
            "melody_corrected": number_column("chance-corrected", format="%.3f"),
            **{
                name.lower(): number_column(name, format="%.2f")
                for name in aesthetics_rating.SHORT_NAMES
            },
        },
    )
    if {"ce", "cu", "pc", "pq"} & set(data.columns):
        st.caption(aesthetics_rating.MEANING)


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Retrieval", anchor=False)
    run = empty_states.latest_run()
    if run is None:
        return
    key = cached_queries.run_key(run)
    if not has_targets(cached_queries.library_counts()):
        empty_states.no_targets()
        return
    rows = cached_queries.retrieval_summaries(key)
    targets = target_orders.target_order(key, None, "", "", "", ORDERS[0])
    if not rows or not targets:
        empty_states.no_matches()
        return
    comparisons = cached_queries.encoder_comparisons(key)
    primary = queries.primary_metric_of_run(comparisons, settings().primary_retrieval_metric)
    answer.show(
        *queries.retrieval_answer(rows, comparisons, primary_metric=primary),
        *cached_queries.choice_sentences(key, "retrieval", primary),
        same_recording_sentence(cached_queries.same_recordings(key)),
    )
    encoder_summary.section(run, rows)
    chosen = st.segmented_control(
        "Show similarity as",
        list(SCALES),
        default="z",
        key="similarity",
        bind="query-params",
        required=True,
        help="z and percentile are on the same scale for all encoders; cosines are not.",
    )
    scale = SCALES[chosen or "z"]
    rank_section(cached_queries.similarity_by_rank(key), scale)
    st.header("How similar is the best match of each target?", anchor=False)
    shown = choose_targets(key, None, score_name="by mean z")
    matches = target_orders.best_match_scores(key, tuple(shown))
    random = {row.encoder for row in rows if row.random and not row.metric_random}
    score, worst = worst_first(matches, primary)
    worst = [row for row in worst if row.encoder not in random]
    worst_match(worst, score, of_page=len(shown) < len(targets))
    heatmap_section(matches, scale, rows)
    if matches:
        match_table(matches)
    encoders = list(dict.fromkeys(row.encoder for row in cached_queries.similarity_by_rank(key)))
    encoder_scatter.section(key, targets, encoders, scale)
    group_summaries.section(key, "retrieval")


main()
