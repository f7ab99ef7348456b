"""Generations: what is asked for, what of it is missing, and writing what was made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from mirpipe.generation.modes import Mode

_WISHES = text(
    "SELECT mode, is_conditioned, guidance, seed, template, longest_seconds "
    "FROM mirpipe.generation_wish WHERE generator_id = :generator_id"
)
_LOCK = text("SELECT generator_id FROM mirpipe.generator WHERE generator_id = :id FOR UPDATE")
_FORGET = text("DELETE FROM mirpipe.generation_wish WHERE generator_id = :generator_id")
_WISH = text(
    "INSERT INTO mirpipe.generation_wish "
    "(generator_id, mode, is_conditioned, guidance, seed, template, longest_seconds) VALUES "
    "(:generator_id, :mode, :is_conditioned, :guidance, :seed, :template, :longest_seconds)"
)
_PENDING = text(
    "SELECT p.target_id, t.title, p.caption_id, c.caption, c.features_id, p.mode, "
    "p.is_conditioned, p.guidance, p.seed, p.template, p.seconds, p.subject "
    "FROM mirpipe.pending_generation p JOIN mirpipe.caption c USING (caption_id) "
    "JOIN mirpipe.track t ON t.track_id = p.target_id "
    "WHERE p.generator_id = :generator_id "
    "AND (CAST(:target_ids AS bigint[]) IS NULL OR p.target_id = ANY(:target_ids)) "
    "AND (CAST(:modes AS text[]) IS NULL OR p.mode = ANY(:modes)) "
    "ORDER BY p.target_id, p.is_conditioned, p.mode, p.guidance, p.seed"
)
_WRITE = text(
    "INSERT INTO mirpipe.generation (target_id, generator_id, caption_id, mode, is_conditioned, "
    "guidance, seed, seconds, template, prompt, prompt_parts, sampling, device, versions, "
    "track_id, content_sha256, took_seconds) "
    "SELECT :target_id, :generator_id, :caption_id, :mode, :is_conditioned, :guidance, :seed, "
    ":seconds, :template, :prompt, CAST(:prompt_parts AS jsonb), CAST(:sampling AS jsonb), "
    ":device, CAST(:versions AS jsonb), track_id, :content_sha256, :took_seconds "
    "FROM mirpipe.track WHERE collection = 'generated' AND content_sha256 = :content_sha256 "
    "ON CONFLICT DO NOTHING"
)
_PACE = text(
    "SELECT sum(g.took_seconds) / sum(g.seconds) FROM mirpipe.generation g "
    "JOIN mirpipe.generator r USING (generator_id) WHERE r.name = :name AND r.revision = :revision"
)


@dataclass(frozen=True)
class Wish:
    """A clip that the configuration asks for, of every target."""

    mode: str
    is_conditioned: bool
    guidance: float | None
    seed: int
    template: str
    longest_seconds: float


@dataclass(frozen=True)
class PendingClip:
    """A clip that is asked for and not there."""

    target_id: int
    title: str
    """The target's."""
    caption_id: int
    caption: str
    features_id: int
    mode: str
    is_conditioned: bool
    guidance: float | None
    seed: int
    template: str
    seconds: float
    subject: str
    """Its natural key, under which the ledger knows it."""

    @property
    def as_mode(self) -> Mode:
        """The mode as a generator is given it."""
        return Mode(self.mode, self.is_conditioned, self.guidance)


@dataclass(frozen=True)
class Made:
    """How a clip came to be, besides what was asked for."""

    clip: PendingClip
    prompt: str
    prompt_parts: Mapping[str, str]
    content_sha256: bytes
    took_seconds: float


def wish(connection: Connection, generator_id: int, wishes: Sequence[Wish]) -> None:
    """Has exactly these clips asked of the generator from now on."""
    connection.execute(_LOCK, {"id": generator_id})
    there = connection.execute(_WISHES, {"generator_id": generator_id}).mappings()
    if {Wish(**row) for row in map(dict, there)} == set(wishes):
        return
    connection.execute(_FORGET, {"generator_id": generator_id})
    for one in wishes:
        connection.execute(_WISH, asdict(one) | {"generator_id": generator_id})


def pending(
    connection: Connection,
    generator_id: int,
    *,
    target_ids: Sequence[int] | None = None,
    modes: Sequence[str] | None = None,
) -> list[PendingClip]:
    """The missing clips of these targets and modes, or of all; a target's stand together."""
    found = connection.execute(
        _PENDING,
        {
            "generator_id": generator_id,
            "target_ids": None if target_ids is None else list(target_ids),
            "modes": None if modes is None else list(modes),
        },
    )
    return [PendingClip(**row) for row in map(dict, found.mappings())]


def pace(connection: Connection, name: str, revision: str) -> float | None:
    """Seconds that it took for a second of audio so far; None where nothing was made."""
    found = connection.execute(_PACE, {"name": name, "revision": revision}).scalar_one()
    return None if found is None else float(found)


def write(
    connection: Connection,
    generator_id: int,
    made: Sequence[Made],
    *,
    sampling: Mapping[str, float | int | bool],
    device: str,
    versions: Mapping[str, str],
) -> None:
    """Stores generations whose tracks are there; one that is there already stays."""
    for one in made:
        clip = asdict(one.clip)
        for name in ("title", "caption", "features_id", "subject"):
            del clip[name]
        connection.execute(
            _WRITE,
            clip
            | {
                "generator_id": generator_id,
                "prompt": one.prompt,
                "prompt_parts": json.dumps(dict(one.prompt_parts)),
                "sampling": json.dumps(dict(sampling)),
                "device": device,
                "versions": json.dumps(dict(versions), sort_keys=True),
                "content_sha256": one.content_sha256,
                "took_seconds": one.took_seconds,
            },
        )
