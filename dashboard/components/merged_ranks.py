"""One list of tracks from the lists of several encoders: each track once, with its ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.marked_title import marked_title
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell
from dashboard.components.track_link import track_links


@dataclass(frozen=True)
class RankedTrack:
    """A track with its rank, and the cosine if it is shown, by encoder."""

    track_id: int
    title: str
    relation: str | None
    """same_recording or same_file if it is the same recording as the query, otherwise None."""
    ranks: Mapping[str, tuple[int, float | None]]

    def sort_key(self) -> tuple[int, int, str]:
        """Return what sorts the list: the best rank, then the number of encoders."""
        return min(rank for rank, _ in self.ranks.values()), -len(self.ranks), self.title


def merged_table(
    name: str, column: str, tracks: Sequence[RankedTrack], encoders: Mapping[str, bool]
) -> Markup:
    """Return a table with one row per track and one column of ranks per encoder.

    `encoders` says for each encoder whether its weights are random.
    """
    links = track_links(track.track_id for track in tracks)
    lines = [
        [
            markup.wide(marked_title(track.title, track.relation, links.get(track.track_id))),
            *(_rank(track, encoder) for encoder in encoders),
        ]
        for track in sorted(tracks, key=RankedTrack.sort_key)
    ]
    headings = [plugin_cell(encoder, random=random) for encoder, random in encoders.items()]
    numeric = range(1, len(headings) + 1)
    return tables.html_table(name, [column, *headings], lines, numeric=numeric, narrow=True)


def _rank(track: RankedTrack, encoder: str) -> Markup:
    if encoder not in track.ranks:
        return Markup(DASH)
    rank, cosine = track.ranks[encoder]
    shown = Markup("{}").format(rank)
    return shown if cosine is None else shown + markup.small_line(format_number(cosine, 3))
