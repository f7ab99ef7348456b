"""What was measured: features, findings about the audio, and the places of the files."""

import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.musical_key import with_accidentals
from dashboard.components.number_format import (
    DASH,
    format_duration,
    format_local_time,
    format_number,
    with_minus_signs,
)
from dashboard.data import current_state
from mirpipe.db import queries


def draw(track: queries.TrackDescription) -> None:
    """Draw the features, the findings and the files."""
    _features(track)
    _findings(track)
    _files(track)


def _features(track: queries.TrackDescription) -> None:
    st.header("What was measured?", anchor=False)
    seconds = DASH if track.seconds is None else format_duration(track.seconds)
    values = [
        ("length", seconds),
        ("format", track.format or DASH),
        ("sample rate", f"{format_number(track.sample_rate, 0)} Hz" if track.sample_rate else DASH),
        ("channels", format_number(track.channels, 0)),
        ("level", DASH if track.rms_dbfs is None else f"{format_number(track.rms_dbfs, 1)} dBFS"),
        ("silent", DASH if track.silent_share is None else f"{track.silent_share:.0%}"),
        (
            "pitched",
            DASH if track.voiced_fraction is None else f"{track.voiced_fraction:.0%}",
        ),
    ]
    if track.has_features:
        values += [
            _measured(track, "tempo", "tempo_bpm", track.tempo_bpm, 1, " BPM"),
            _measured(track, "meter", "meter", track.meter, 0, " beats per bar"),
            ("key", with_accidentals(track.key) if track.key else _missing(track, "key")),
            _measured(track, "key clarity", "key_clarity", track.key_clarity, 2),
            ("onsets", f"{format_number(track.onsets_per_second, 2)} per second"),
            ("brightness", f"{format_number(track.brightness_hz, 0)} Hz"),
        ]
    markup.show(markup.named_values(values, wrap=True))
    if track.octave_ambiguous:
        st.caption("Half or double the tempo is about as likely.")
    if not track.has_features and track.state == "ok" and track.has_audio:
        st.caption("Tempo, meter and key have not been measured yet. The next run measures them.")


def _measured(
    track: queries.TrackDescription,
    name: str,
    feature: str,
    value: float | None,
    decimals: int,
    unit: str = "",
) -> tuple[str, str | Markup]:
    """Return the name and the value of a feature, or the reason why it is missing."""
    if value is None:
        return name, _missing(track, feature)
    return name, format_number(value, decimals) + unit


def _missing(track: queries.TrackDescription, feature: str) -> Markup:
    reason = track.feature_reasons.get(feature)
    text = metric_labels.reason_text(reason) if reason else ""
    return Markup(DASH) + markup.small_line(text)


def _findings(track: queries.TrackDescription) -> None:
    rows = current_state.read(queries.findings_of_track, track.track_id)
    if not rows:
        return
    st.header("Is anything unusual about the audio?", anchor=False)
    lines = [
        [
            row.severity,
            queries.finding_name(row.kind),
            DASH if row.seconds is None else f"{format_number(row.seconds, 1)} s",
            with_minus_signs(row.detail),
        ]
        for row in rows
    ]
    columns = ["severity", "kind", "at", "finding"]
    markup.show(tables.html_table("Findings", columns, lines, numeric=(2,)))


def _files(track: queries.TrackDescription) -> None:
    rows = current_state.read(queries.track_files, track.track_id)
    if not rows:
        return
    st.header("Where are its files?", anchor=False)
    lines = [
        [
            markup.path(row.path),
            f"{row.bytes / 2**20:,.1f} MB",
            markup.no_wrap(format_local_time(row.seen_at)),
            markup.no_wrap(format_local_time(row.gone_at) if row.gone_at else DASH),
        ]
        for row in rows
    ]
    columns = ["path", "size", "last read", "gone since"]
    markup.show(tables.html_table("Files", columns, lines, numeric=(1,)))
