"""The targets that a clip was generated from, and how."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class ClipOrigin:
    """One generation whose result is the clip."""

    target_id: int
    target: str
    """Title of the target."""
    generator: str
    mode: str
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has none."""
    seed: int
    prompt: str
    made_at: datetime
    """Time of the generation, with its time zone."""


_ORIGINS = text("""
    SELECT target_id, target, generator, mode, guidance, seed, prompt, made_at
    FROM mirpipe.v_generation WHERE track_id = :track_id ORDER BY made_at, generation_id LIMIT 50
""")


def clip_origins(track_id: int) -> list[ClipOrigin]:
    """Return the generations of a clip, oldest first. The list is empty for other tracks."""
    return with_distinct_titles(
        read_rows(ClipOrigin, _ORIGINS, track_id=track_id), target="target_id"
    )
