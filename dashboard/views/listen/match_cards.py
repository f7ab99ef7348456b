"""The matches of a target by all encoders in one list, with the scores of each pair."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.merged_ranks import RankedTrack
from dashboard.components.number_format import format_number
from dashboard.components.reference_cards import reference_cards
from dashboard.components.track_details import TrackDetails
from dashboard.views.listen.match_explanation import explanation, melody_remark
from mirpipe.db import queries


def match_cards(
    tracks: Sequence[RankedTrack],
    matches: Sequence[queries.Match],
    encoders: Mapping[str, bool],
    details: TrackDetails,
) -> None:
    """Draw one card per track. `encoders` says for each encoder whether its weights are random."""
    # The scores of a pair do not depend on the encoder that found it.
    match_of = {match.reference_id: match for match in matches}

    def scores(track: RankedTrack) -> list[Markup]:
        match = match_of[track.track_id]
        pair = (
            ("aligned melody", match.aligned_melody),
            ("melody accuracy", match.melody_accuracy),
        )
        values = [
            (name, format_number(value, 3))
            for name, value in pair
            if value is not None and match.melodic is not False
        ]
        values += aesthetics_rating.axis_values(details.aesthetics.get(track.track_id))
        shown = [markup.named_values(values)] if values else []
        # Even an empty remark takes up a line, so that the pictures of a row are aligned.
        return [*shown, markup.remark(melody_remark(match))]

    def reasons(track: RankedTrack) -> list[Markup]:
        sentences = explanation(match_of[track.track_id], track.ranks)
        return [markup.collapsed_list("Why is it a match?", sentences)]

    reference_cards(tracks, encoders, details, scores=scores, explanation=reasons)
