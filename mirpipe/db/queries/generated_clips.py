"""The clips that were generated from a target."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.mode_order import MODE_PLACES
from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class GeneratedClip:
    """A clip that was generated from one target. Every clip is also a track."""

    generator: str
    mode: str
    guidance: float | None
    """Classifier-free guidance scale. None if the generator has none."""
    seed: int
    """Seed of the generator's random numbers."""
    prompt: str
    """Prompt as the generator received it."""
    seconds: float
    """Length of the clip, in seconds."""
    excerpt_start_seconds: float
    """Start of the excerpt of the target that the clip is compared with, in seconds."""
    target_id: int
    track_id: int
    """Track id of the clip."""
    licence_weights: str
    """Licence of the generator's weights."""
    random: bool
    """Whether the generator has random weights."""


_CLIPS_OF_TARGET = text(f"""
    SELECT g.generator, g.mode, g.guidance, g.seed, g.prompt, g.seconds, g.excerpt_start_seconds,
        g.target_id, g.track_id, g.licence_weights, g.random
    FROM mirpipe.v_generation g
    JOIN ({MODE_PLACES}) o ON o.generator = g.generator AND o.mode = g.mode
        AND o.guidance IS NOT DISTINCT FROM g.guidance
    WHERE g.target_id = :target_id AND g.wanted
    ORDER BY o.place, g.seed
""")


def clips_of_target(target_id: int) -> list[GeneratedClip]:
    """Return a target's clips that enter the results, sorted by mode and seed."""
    return read_rows(GeneratedClip, _CLIPS_OF_TARGET, target_id=target_id)
