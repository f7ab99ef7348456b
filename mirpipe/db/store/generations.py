"""Stores requested and generated clips, and finds requested clips that are missing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from mirpipe.generation.modes import Mode

_REQUESTED = text(
    "SELECT mode, is_conditioned, guidance, seed, template, longest_seconds "
    "FROM mirpipe.generation_wish WHERE generator_id = :generator_id"
)
_LOCK_GENERATOR = text(
    "SELECT generator_id FROM mirpipe.generator WHERE generator_id = :id FOR UPDATE"
)
_DELETE_REQUESTED = text("DELETE FROM mirpipe.generation_wish WHERE generator_id = :generator_id")
_INSERT_REQUESTED = text(
    "INSERT INTO mirpipe.generation_wish "
    "(generator_id, mode, is_conditioned, guidance, seed, template, longest_seconds) VALUES "
    "(:generator_id, :mode, :is_conditioned, :guidance, :seed, :template, :longest_seconds)"
)
_PENDING = text(
    "SELECT p.target_id, t.title, p.excerpt_id, p.caption_id, c.caption, c.features_id, p.mode, "
    "p.is_conditioned, p.guidance, p.seed, p.template, p.seconds, p.subject "
    "FROM mirpipe.pending_generation p JOIN mirpipe.caption c USING (caption_id) "
    "JOIN mirpipe.track t ON t.track_id = p.target_id "
    "WHERE p.generator_id = :generator_id "
    "AND (CAST(:target_ids AS bigint[]) IS NULL OR p.target_id = ANY(:target_ids)) "
    "AND (CAST(:modes AS text[]) IS NULL OR p.mode = ANY(:modes)) "
    "ORDER BY p.target_id, p.is_conditioned, p.mode, p.guidance, p.seed, p.caption_id"
)
_WRITE = text(
    "INSERT INTO mirpipe.generation (target_id, excerpt_id, generator_id, caption_id, mode, "
    "is_conditioned, guidance, seed, seconds, template, prompt, prompt_parts, sampling, device, "
    "versions, track_id, content_sha256, took_seconds, peak_memory_bytes) "
    "SELECT :target_id, :excerpt_id, :generator_id, :caption_id, :mode, :is_conditioned, "
    ":guidance, :seed, :seconds, :template, :prompt, CAST(:prompt_parts AS jsonb), "
    "CAST(:sampling AS jsonb), :device, CAST(:versions AS jsonb), track_id, :content_sha256, "
    ":took_seconds, :peak_memory_bytes "
    "FROM mirpipe.track WHERE collection = 'generated' AND content_sha256 = :content_sha256 "
    "ON CONFLICT DO NOTHING"
)
_REAL_TIME_FACTOR = text(
    "SELECT sum(g.took_seconds) / sum(g.seconds) FROM mirpipe.generation g "
    "JOIN mirpipe.generator r USING (generator_id) WHERE r.name = :name AND r.revision = :revision"
)


@dataclass(frozen=True)
class RequestedClip:
    """A kind of clip that the settings request for every target."""

    mode: str
    is_conditioned: bool
    """Whether the generator receives audio from the target."""
    guidance: float | None
    """Guidance scale. None if the generator has none."""
    seed: int
    template: str
    """Template of the prompt."""
    longest_seconds: float
    """Maximum duration of the clip, in seconds. A shorter target receives a shorter clip."""


@dataclass(frozen=True)
class PendingClip:
    """A requested clip that does not exist yet."""

    target_id: int
    title: str
    """Title of the target."""
    excerpt_id: int
    """Excerpt of the target from which the clip is generated."""
    caption_id: int
    caption: str
    features_id: int
    """Revision of the track features that the caption is based on."""
    mode: str
    is_conditioned: bool
    guidance: float | None
    seed: int
    template: str
    seconds: float
    """Duration of the clip, in seconds."""
    subject: str
    """Key of the clip in the failure ledger."""

    @property
    def as_mode(self) -> Mode:
        """The mode, in the form that a generator receives."""
        return Mode(self.mode, self.is_conditioned, self.guidance)


@dataclass(frozen=True)
class NewGeneration:
    """A generated clip that is not stored yet."""

    clip: PendingClip
    prompt: str
    prompt_parts: Mapping[str, str]
    """Parts of the prompt, by name."""
    content_sha256: bytes
    """Content hash of the clip's file. The clip's track must already be stored."""
    took_seconds: float
    """Time that it took to generate the clip, in seconds."""


def set_requested_clips(
    connection: Connection, generator_id: int, requested: Sequence[RequestedClip]
) -> None:
    """Replace a generator's requested clips. Existing clips that are no longer requested stay."""
    connection.execute(_LOCK_GENERATOR, {"id": generator_id})
    stored = connection.execute(_REQUESTED, {"generator_id": generator_id}).mappings()
    if {RequestedClip(**row) for row in map(dict, stored)} == set(requested):
        return
    connection.execute(_DELETE_REQUESTED, {"generator_id": generator_id})
    for clip in requested:
        connection.execute(_INSERT_REQUESTED, asdict(clip) | {"generator_id": generator_id})


def pending(
    connection: Connection,
    generator_id: int,
    *,
    target_ids: Sequence[int] | None = None,
    modes: Sequence[str] | None = None,
) -> list[PendingClip]:
    """Return the missing clips, with all clips of a target next to each other.

    If `target_ids` or `modes` are given, only these targets and modes are considered.
    """
    rows = connection.execute(
        _PENDING,
        {
            "generator_id": generator_id,
            "target_ids": None if target_ids is None else list(target_ids),
            "modes": None if modes is None else list(modes),
        },
    )
    return [PendingClip(**row) for row in map(dict, rows.mappings())]


def real_time_factor(connection: Connection, name: str, revision: str) -> float | None:
    """Return the time in seconds that the generator takes per second of audio.

    The result is the mean over all stored clips of the revision, or None if there are no clips.
    """
    factor = connection.execute(
        _REAL_TIME_FACTOR, {"name": name, "revision": revision}
    ).scalar_one()
    return None if factor is None else float(factor)


def write(
    connection: Connection,
    generator_id: int,
    clips: Sequence[NewGeneration],
    *,
    sampling: Mapping[str, float | int | bool],
    device: str,
    versions: Mapping[str, str],
    peak_memory_bytes: int | None = None,
) -> None:
    """Store generated clips whose tracks are already stored. Existing clips are kept.

    `sampling` contains the sampling options of the model, and `versions` the versions of the
    libraries that the model used. `peak_memory_bytes` is the largest memory so far, or None if it
    was not measured.
    """
    for clip in clips:
        row = asdict(clip.clip)
        for name in ("title", "caption", "features_id", "subject"):
            del row[name]
        connection.execute(
            _WRITE,
            row
            | {
                "generator_id": generator_id,
                "prompt": clip.prompt,
                "prompt_parts": json.dumps(dict(clip.prompt_parts)),
                "sampling": json.dumps(dict(sampling)),
                "device": device,
                "versions": json.dumps(dict(versions), sort_keys=True),
                "content_sha256": clip.content_sha256,
                "took_seconds": clip.took_seconds,
                "peak_memory_bytes": peak_memory_bytes,
            },
        )
