"""The target captions, compared with the measured tempo, meter, key and pitch."""

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.csv_download import download_button
from dashboard.components.musical_key import with_accidentals
from dashboard.components.number_format import DASH
from dashboard.components.page_choice import choose_page
from dashboard.components.plugin_labels import plugin_heading
from dashboard.components.track_link import linked_title, track_links
from dashboard.data import current_state
from mirpipe.db import queries

CAPTIONS_PER_PAGE = 20


def section() -> None:
    """Draw one page of captions and measurements, if there are captions. No run records them."""
    counts = current_state.read(queries.caption_counts)
    if not counts.captions:
        return
    st.header("Do the captions agree with the measurements?", anchor=False)
    st.markdown(contradiction_sentence(counts.contradicting, counts.captions))
    heading = st.container()
    only = st.toggle("Show contradictions only", key="contradictions", bind="query-params")
    page = choose_page(
        counts.contradicting if only else counts.captions,
        CAPTIONS_PER_PAGE,
        noun="captions",
        key="captions",
    )
    shown = current_state.read(
        queries.captions,
        contradicting=only,
        limit=CAPTIONS_PER_PAGE,
        offset=(page - 1) * CAPTIONS_PER_PAGE,
    )
    for first in shown[:1]:
        with heading:
            markup.show(
                plugin_heading(
                    f"Captions by {first.captioner}", first.licence_weights, random=first.random
                )
            )
    links = track_links(caption.track_id for caption in shown)
    columns = ["target", "caption", "tempo", "meter", "key", "pitched"]
    lines = [
        [
            markup.wide(linked_title(caption.title, links.get(caption.track_id))),
            caption_cell(caption),
            *measurements(caption),
        ]
        for caption in shown
    ]
    markup.show(tables.html_table("Captions", columns, lines))
    download_button(queries.captions, name="Captions")


def contradiction_sentence(contradicting: int, captions: int) -> str:
    """Return how many captions contradict the measurements."""
    if not contradicting:
        return "No caption contradicts the measurements."
    verb = "contradicts" if contradicting == 1 else "contradict"
    noun = "caption" if captions == 1 else "captions"
    return f"{contradicting:,} of {captions:,} {noun} {verb} the measurements."


def caption_cell(caption: queries.Caption) -> Markup:
    """Return the text of a caption, and a warning if it contradicts the measurements."""
    cell = markup.quote(caption.caption)
    if caption.contradictions:
        cell += markup.warning_box(
            "The caption contradicts the measurement",
            [with_accidentals(line) for line in caption.contradictions],
        )
    return cell


def measurements(caption: queries.Caption) -> list[Markup]:
    """Return tempo, meter, key and share of pitched frames, or the reasons why they are missing."""
    octave = ", or half or double of it" if caption.octave_ambiguous else ""
    values = {
        "tempo_bpm": caption.tempo_bpm and f"{caption.tempo_bpm:.1f} BPM{octave}",
        "meter": caption.meter and f"{caption.meter} beats per bar",
        "key": caption.key and with_accidentals(caption.key),
        "voiced_fraction": f"{caption.voiced_fraction:.0%} of frames",
    }
    return [
        Markup("{}").format(value or DASH)
        + (
            markup.small_line(metric_labels.reason_text(caption.reasons[field]))
            if field in caption.reasons
            else ""
        )
        for field, value in values.items()
    ]
