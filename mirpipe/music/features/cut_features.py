"""Cuts notes and beats to an excerpt of a track, with times that start at the excerpt."""

from collections.abc import Sequence
from dataclasses import replace

from mirpipe.records import Excerpt, Features, Note


def cut_notes(notes: Sequence[Note], excerpt: Excerpt) -> tuple[Note, ...]:
    """Return the parts of the notes that sound in the excerpt, in the same order.

    Onsets and offsets are in seconds after the start of the excerpt.
    """
    start, end = excerpt.start_seconds, excerpt.start_seconds + excerpt.seconds
    return tuple(
        replace(
            note,
            onset_seconds=max(note.onset_seconds, start) - start,
            offset_seconds=min(note.offset_seconds, end) - start,
        )
        for note in notes
        if note.onset_seconds < end and note.offset_seconds > start
    )


def cut_features(features: Features, excerpt: Excerpt) -> Features:
    """Return the features with only the notes and beats of the excerpt.

    All other properties, such as tempo and key, remain those of the complete track.
    """
    start, end = excerpt.start_seconds, excerpt.start_seconds + excerpt.seconds
    beats = tuple(beat - start for beat in features.beat_seconds if start <= beat < end)
    return replace(features, notes=cut_notes(features.notes, excerpt), beat_seconds=beats)
