"""What is there, what is missing and what failed, as it is now."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class LibraryCount:
    """Tracks of one collection in one state (ok, rejected, gone)."""

    collection: str
    state: str
    tracks: int
    seconds: float


@dataclass(frozen=True)
class Pending:
    """Work that the next run will do; `plugin` is the plug-in, of whatever kind, that does it."""

    stage: str
    plugin: str
    revision: str
    items: int


@dataclass(frozen=True)
class EncoderRevision:
    """A revision that is wanted or answers; `random` marks a stand-in without trained weights."""

    encoder: str
    revision: str
    dimension: int
    wanted: bool
    serving: bool
    checkpoint: str
    licence_code: str
    licence_weights: str
    citation: str
    random: bool


@dataclass(frozen=True)
class Failure:
    """A row of the ledger; `retry` is False for bad input, left alone until it changes.

    `plugin` is the plug-in that it happened to; empty where none was at work.
    """

    stage: str
    plugin: str
    subject: str
    title: str | None
    collection: str | None
    reason: str
    message: str
    retry: bool
    attempts: int
    first_seen: datetime
    last_seen: datetime
    revision: str


@dataclass(frozen=True)
class FailureCount:
    """How often a reason stands in the ledger of a stage."""

    stage: str
    reason: str
    retry: bool
    items: int


@dataclass(frozen=True)
class Unavailable:
    """A wanted plug-in that cannot run on this machine; the message ends with the remedy.

    `kind` is as the registry calls it: encoder, metric, captioner or generator.
    """

    kind: str
    name: str
    reason: str
    message: str


@dataclass(frozen=True)
class LiveFile:
    """A place where a track's bytes were last seen; the file may have vanished since."""

    track_id: int
    path: Path
    shown: str
    """The path for reading: one printable line."""
    format: str
    """The container, as its content says (WAV, FLAC, OGG, MP3, MP4, AIFF …), not its name."""
    rms_dbfs: float
    """Level of the mono mix, dB relative to full scale."""


_WRITTEN = text("""
    SELECT concat_ws(' ', max(d.oid), pg_postmaster_start_time(), max(t.relid),
        sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del)) AS mark
    FROM pg_stat_user_tables t JOIN pg_database d ON d.datname = current_database()
    WHERE t.schemaname = 'mirpipe'
""")
_LIBRARY = text("""
    SELECT collection, state, count(*) AS tracks, coalesce(sum(seconds), 0) AS seconds
    FROM mirpipe.v_library GROUP BY collection, state
    ORDER BY array_position(ARRAY['target', 'reference', 'generated'], collection),
        array_position(ARRAY['ok', 'rejected', 'gone'], state)
""")
_PENDING = text("""
    SELECT stage, plugin, revision, items FROM mirpipe.v_pending
    ORDER BY array_position(
        ARRAY['embed', 'score', 'analyse', 'retrieve', 'evaluate', 'caption', 'embed captions',
            'generate'],
        stage), plugin
""")
_ENCODERS = text("""
    SELECT encoder, revision, dimension, wanted, serving, coalesce(checkpoint, '') AS checkpoint,
        coalesce(licence_code, '') AS licence_code,
        coalesce(licence_weights, '') AS licence_weights,
        coalesce(citation, '') AS citation, coalesce(random, false) AS random
    FROM mirpipe.v_encoder WHERE wanted OR serving
    ORDER BY array_position(CAST(:shown AS text[]), encoder), encoder, serving DESC, revision
""")
_FAILURES = text("""
    WITH plugin AS (
        SELECT revision, name FROM mirpipe.encoder
        UNION SELECT revision, coalesce(spec ->> 'name', name) FROM mirpipe.metric
        UNION SELECT revision, name FROM mirpipe.captioner
        UNION SELECT revision, name FROM mirpipe.generator
    ), ledger AS (
        SELECT f.*, coalesce(
            (SELECT min(name) FROM plugin WHERE plugin.revision = f.revision),
            substring(f.subject FROM '^(?\\:encoder|metric|captioner|generator)\\:(.+)$'),
            '') AS plugin
        FROM mirpipe.v_failure f
    )
    SELECT stage, plugin, subject, title, collection, reason, message, retry, attempts,
        first_seen, last_seen, revision
    FROM ledger
    WHERE (CAST(:stages AS text[]) = '{}' OR stage = ANY(:stages))
      AND (CAST(:reasons AS text[]) = '{}' OR reason = ANY(:reasons))
      AND position(lower(:search) IN
        lower(concat_ws(' ', plugin, title, subject, reason, message))) > 0
    ORDER BY last_seen DESC, stage, subject
""")
_FAILURE_COUNTS = text("""
    SELECT stage, reason, retry, count(*) AS items FROM mirpipe.v_failure
    GROUP BY stage, reason, retry ORDER BY items DESC, stage, reason, retry
""")
_UNAVAILABLE = text("""
    SELECT kind, name, reason, message FROM (
        SELECT split_part(subject, ':', 1) AS kind,
            substr(subject, strpos(subject, ':') + 1) AS name, reason, message
        FROM mirpipe.v_failure) ledger
    WHERE kind IN ('encoder', 'metric', 'captioner', 'generator')
    ORDER BY array_position(CAST(:shown AS text[]), name), kind, name
""")
_LIVE_FILES = text("""
    SELECT t.track_id, f.path, f.path_text AS shown, coalesce(t.format, '') AS format,
        coalesce(t.rms_dbfs, 0) AS rms_dbfs
    FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id)
    WHERE f.track_id = ANY(:track_ids) AND f.gone_at IS NULL ORDER BY t.track_id, f.path
""")


def written() -> str:
    """A mark of the database that changes, some seconds late, when anything is written."""
    return rows(_Mark, _WRITTEN)[0].mark


def library() -> list[LibraryCount]:
    """Tracks and total length by collection and state."""
    return rows(LibraryCount, _LIBRARY)


def pending() -> list[Pending]:
    """What the next run will do, in the order of the stages; empty when all is up to date."""
    return rows(Pending, _PENDING)


def encoders() -> list[EncoderRevision]:
    """Revisions that are wanted or answer, in the order in which the settings show them."""
    return rows(EncoderRevision, _ENCODERS, shown=settings().encoders)


def failures(
    *, stages: Sequence[str] = (), reasons: Sequence[str] = (), search: str = ""
) -> list[Failure]:
    """The ledger, newest first: of these stages and reasons (all where empty) that hold `search`.

    `search` is looked for, whatever its case, in plug-in, title, subject, reason and message.
    """
    return rows(Failure, _FAILURES, stages=list(stages), reasons=list(reasons), search=search)


def failure_counts() -> list[FailureCount]:
    """The ledger counted by stage and reason, most frequent first."""
    return rows(FailureCount, _FAILURE_COUNTS)


def unavailable() -> list[Unavailable]:
    """Plug-ins that the last plan had to leave out on this machine."""
    wanted = [*settings().encoders, *settings().metrics]
    return rows(Unavailable, _UNAVAILABLE, shown=wanted)


def live_files(track_ids: Sequence[int]) -> dict[int, list[LiveFile]]:
    """The places of each of these tracks; no key for a track that has none now."""
    files: dict[int, list[LiveFile]] = defaultdict(list)
    for row in rows(_FileRow, _LIVE_FILES, track_ids=list(track_ids)):
        path = Path(os.fsdecode(bytes(row.path)))
        files[row.track_id].append(
            LiveFile(row.track_id, path, row.shown, row.format, row.rms_dbfs)
        )
    return dict(files)


@dataclass(frozen=True)
class _Mark:
    mark: str


@dataclass(frozen=True)
class _FileRow:
    track_id: int
    path: memoryview
    shown: str
    format: str
    rms_dbfs: float
