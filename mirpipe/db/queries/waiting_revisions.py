"""The configured revisions of plug-ins that wait to replace the active ones."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class Challenger:
    """A configured revision that waits, and the verdict of its last comparison."""

    kind: str
    """encoder, captioner or generator."""
    name: str
    revision: str
    active_revision: str
    """Revision whose results are shown."""
    coverage: float | None
    """Share of the usable tracks that have a vector, or of the requested clips that exist, 0 to 1;
    for a captioner, of the captions and the clips from them. None if there are none."""
    random: bool
    """Whether the weights of the waiting revision are random."""
    licence_weights: str
    """Empty if it is not stated."""
    verdict: str | None
    """better, not worse, worse or undecided. None if the two revisions were not compared yet."""
    margins: list[str]
    """Margins of the verdict, each as METRIC=MARGIN in the unit of the metric. Empty without a
    verdict, or if an older version of mirpipe stored it."""
    sentences: list[str]
    """What would change, in the words of `mirpipe compare`. Empty without a comparison."""
    compared_at: datetime | None


_PROGRESS = {
    "encoder": ("nothing to embed", "tracks embedded"),
    "captioner": ("nothing to caption", "captions and clips made"),
    "generator": ("no clips requested", "clips generated"),
}
"""Words by kind of plug-in, without and with anything to do."""
_CHALLENGERS = text("""
    SELECT kind, name, revision, active_revision, coverage, coalesce(random, false) AS random,
        coalesce(licence_weights, '') AS licence_weights, verdict,
        coalesce(margins, '{}') AS margins,
        coalesce(sentences, '{}') AS sentences, compared_at
    FROM mirpipe.v_challenger ORDER BY kind, name
""")


def challengers() -> list[Challenger]:
    """Return the revisions that wait while another revision is active, by kind and name."""
    return read_rows(Challenger, _CHALLENGERS)


def progress_text(challenger: Challenger) -> str:
    """Return how far a challenger is, such as "95.0% of the tracks embedded"."""
    nothing, done = _PROGRESS[challenger.kind]
    return nothing if challenger.coverage is None else f"{challenger.coverage:.1%} of the {done}"


def margins_text(challenger: Challenger) -> str:
    """Return the margins of the last verdict, such as "aligned_melody=0.02". Empty if unknown."""
    return ", ".join(challenger.margins)


def verdict_text(challenger: Challenger) -> str:
    """Return the verdict of the last comparison, or that there was none."""
    return challenger.verdict or "not compared yet"
