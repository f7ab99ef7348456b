"""One list of tracks from the lists of several encoders: each track once, with its ranks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from dashboard.components import markup, tables
from dashboard.components.equal_titles import told_apart
from dashboard.components.marked_title import marked_title
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import plugin_cell, plugin_text
from dashboard.components.track_link import track_links
from mirpipe.db import queries
from mirpipe.db.queries.vector_search import NearReference

RANK_COLUMNS = ("encoder", "rank", "cosine", "z", "percentile")


def explanation(depth: int) -> str:
    """Return what the numbers of lists with the first `depth` references per encoder mean."""
    return (
        "Each reference is shown once, with its rank by each encoder. A dash means that it is not "
        f"among the first {depth} by that encoder. Cosines of different encoders are not "
        "comparable. z is the number of standard deviations by which the cosine exceeds the mean "
        "cosine to the whole library. It shows how far a reference stands out, not how good it is. "
        "Percentile is the share of the library's reference pairs that have no higher cosine."
    )


@dataclass(frozen=True)
class EncoderRank:
    """The rank of a track in the list of one encoder, and how similar it is to the query."""

    rank: int
    cosine: float | None = None
    """Cosine in the encoder's own space. None if it is not shown."""
    z: float | None = None
    percentile: float | None = None


@dataclass(frozen=True)
class RankedTrack:
    """A track with its rank in the list of each encoder that found it."""

    track_id: int
    title: str
    relation: str | None
    """same_recording or same_file if it is the same recording as the query, otherwise None."""
    ranks: Mapping[str, EncoderRank]
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def best_rank(self) -> int:
        """Best rank by any encoder."""
        return min(rank.rank for rank in self.ranks.values())


def merged(tracks: Iterable[RankedTrack]) -> list[RankedTrack]:
    """Return each track once, with its ranks by all encoders.

    The list is sorted by the best rank, then by the number of encoders that found the track.
    """
    track_of: dict[int, RankedTrack] = {}
    for track in tracks:
        known = track_of.get(track.track_id, track)
        track_of[track.track_id] = replace(track, ranks={**known.ranks, **track.ranks})
    return sorted(
        track_of.values(), key=lambda track: (track.best_rank, -len(track.ranks), track.title)
    )


def merged_references(
    found: Mapping[str, Sequence[NearReference]], *, beside: Mapping[int, str] | None = None
) -> list[RankedTrack]:
    """Return one list from the nearest references by each encoder, like `merged`.

    Its titles differ from each other, and from those of the tracks that are shown beside it.
    `beside` contains the titles of these tracks by track id.
    """
    tracks = merged(
        RankedTrack(
            row.track_id,
            row.title,
            row.relation,
            {encoder: EncoderRank(row.rank, row.cosine, row.z, row.percentile)},
            row.labels,
        )
        for encoder, rows in found.items()
        for row in rows
    )
    titles = told_apart({**(beside or {}), **{track.track_id: track.title for track in tracks}})
    return [replace(track, title=titles[track.track_id]) for track in tracks]


def merged_matches(matches: Sequence[queries.Match], depth: int) -> list[RankedTrack]:
    """Return each reference among the first `depth` matches by any encoder once.

    `matches` may contain more matches, because the ranks by other encoders can be lower.
    """
    tracks = merged(
        RankedTrack(
            match.reference_id,
            match.reference,
            match.relation,
            {match.encoder: EncoderRank(match.rank, match.cosine, match.z, match.percentile)},
            match.reference_labels,
        )
        for match in matches
    )
    return [track for track in tracks if track.best_rank <= depth]


def answer_sentence(query: str, tracks: Sequence[RankedTrack], encoders: Mapping[str, bool]) -> str:
    """Return which reference each encoder finds most similar to the query.

    `encoders` says for each encoder whether its weights are random.
    """
    best = [
        queries.BestReference(encoder, track.title, track.relation, track.ranks[encoder].z, random)
        for encoder, random in encoders.items()
        for track in tracks
        if encoder in track.ranks and track.ranks[encoder].rank == 1
    ]
    return queries.similarity_answer(query, best)


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
            *(_rank_cell(track.ranks.get(encoder)) for encoder in encoders),
        ]
        for track in tracks
    ]
    headings = [plugin_cell(encoder, random=random) for encoder, random in encoders.items()]
    numeric = range(1, len(headings) + 1)
    return tables.html_table(name, [column, *headings], lines, numeric=numeric, narrow=True)


def rank_table(track: RankedTrack, encoders: Mapping[str, bool]) -> Markup:
    """Return a small table for a track: rank, cosine, z and percentile by each encoder.

    `encoders` is as in `merged_table`. Columns without any number are left out.
    """
    lines = [
        (plugin_text(encoder, random=random), *_numbers(track.ranks.get(encoder)))
        for encoder, random in encoders.items()
    ]
    kept = [
        index for index in range(len(RANK_COLUMNS)) if any(line[index] != DASH for line in lines)
    ]

    def row(tag: str, cells: Sequence[str]) -> Markup:
        cell = Markup(f"<{tag}>{{}}</{tag}>")
        return Markup("<tr>{}</tr>").format(
            Markup("").join(cell.format(cells[index]) for index in kept)
        )

    body = Markup("").join(row("td", line) for line in lines)
    return Markup("<table class='mp-ranks'><thead>{}</thead><tbody>{}</tbody></table>").format(
        row("th", RANK_COLUMNS), body
    )


def _rank_cell(rank: EncoderRank | None) -> Markup:
    if rank is None:
        return Markup(DASH)
    shown = Markup("{}").format(rank.rank)
    if rank.cosine is None:
        return shown
    return shown + markup.small_line(format_number(rank.cosine, 3))


def _numbers(rank: EncoderRank | None) -> tuple[str, str, str, str]:
    if rank is None:
        return DASH, DASH, DASH, DASH
    return (
        str(rank.rank),
        format_number(rank.cosine, 3),
        format_number(rank.z, 2),
        format_number(rank.percentile, 1),
    )
