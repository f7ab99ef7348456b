"""The references and targets that only one of two runs contains, with links to their pages."""

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from dashboard.components import markup
from dashboard.components.bar_list import filter_link
from dashboard.components.metric_labels import reason_text
from dashboard.components.track_link import TrackLinks, linked_title, track_links
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries.library_differences import LibraryDifference
from mirpipe.db.queries.sentence_parts import counted

MAX_NAMED = 10
"""Number of tracks per collection and run that are named."""


def section(key: cached_queries.RunKey, then: queries.PastRun, now: queries.PastRun) -> None:
    """Draw one sentence per collection and run, and say if a list is incomplete."""
    rows = cached_queries.library_differences(key, then.run_id, now.run_id, MAX_NAMED)
    links = track_links(row.track_id for row in rows)
    named: dict[tuple[str, int], int] = {}
    for (collection, run_id), group in groupby(rows, lambda row: (row.collection, row.run_id)):
        tracks = list(group)
        named[collection, run_id] = tracks[0].n
        markup.show(sentence(tracks, links))
    for collection, change in (
        ("reference", now.references - then.references),
        ("target", now.targets - then.targets),
    ):
        found = named.get((collection, now.run_id), 0) - named.get((collection, then.run_id), 0)
        if found != change:
            incomplete(collection)


def sentence(tracks: Sequence[LibraryDifference], links: TrackLinks) -> Markup:
    """Return the names of tracks of the same collection that only one run contains."""
    first = tracks[0]
    names = Markup(", ").join(
        linked_title(track.title, links.get(track.track_id)) + removal(track) for track in tracks
    )
    others = f" and {first.n - len(tracks):,} more" if first.n > len(tracks) else ""
    return markup.sentence(
        "{} {} only in run {}: {}{}.",
        counted(first.n, first.collection),
        "is" if first.n == 1 else "are",
        str(first.run_id),
        names,
        others,
    )


def removal(track: LibraryDifference) -> str:
    """Return why a track is missing in the later run, or an empty text if it was added."""
    if track.removed_as is None:
        return ""
    if track.removed_as == "gone":
        return " (file is gone)"
    return f" (rejected: {reason_text(track.reason or '')})"


def incomplete(collection: str) -> None:
    """Say that not all tracks can be named, with a link to those whose files are gone."""
    markup.show(
        markup.sentence(
            "Not all {}s that only one of the runs contains can be named, because the database "
            "does not store when a track came back. {}",
            collection,
            filter_link("List the tracks whose files are gone", "tracks?state=gone"),
        )
    )
