"""Embed: gives every usable track a vector of every wanted encoder revision.

A vector depends on its own track alone: windows are never batched across tracks, so that a
resumed run writes the bytes that an undisturbed one would have written.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path

import numpy as np

from mirpipe import audio, content, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import embeddings, failures, plugins, tracks
from mirpipe.errors import PluginError, RejectedInput, Unavailable
from mirpipe.protocols import Encoder
from mirpipe.records import Clip, EncoderSpec, Float32, Track

WINDOWS_PER_CALL = 64
"""Bounds memory however long a track is."""

_VERSIONS = ("mirpipe", "numpy", "soxr", "soundfile")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class EmbedBatch:
    """One task's worth of missing vectors."""

    encoder: str
    track_ids: tuple[int, ...]


@dataclass(frozen=True)
class EmbedResult:
    """How many tracks got a vector, cannot have one, or failed and will be tried again."""

    embedded: int
    rejected: int
    failed: int


def register(encoder: str) -> int:
    """The id of the encoder's present revision, made known to the database as the wanted one."""
    spec = registry.ENCODERS.spec(encoder)
    with engine("app").begin() as connection:
        return plugins.register_encoder(connection, spec, registry.revision(spec))


def available(encoders: Sequence[str]) -> list[str]:
    """Those that can run on this machine; the ledger says of the others what they want."""
    wanting: dict[str, Unavailable] = {}
    for name in encoders:
        try:
            registry.ENCODERS.interpreter(name)
        except Unavailable as problem:
            wanting[name] = problem
    with engine("app").begin() as connection:
        failures.clear(
            connection,
            stage="embed",
            subjects=[_subject(n) for n in registry.ENCODERS.names() if n not in wanting],
        )
        for name, remedy in wanting.items():
            failures.record(
                connection,
                stage="embed",
                subject=_subject(name),
                reason=remedy.reason,
                message=str(remedy),
                retry=True,
            )
    return [name for name in encoders if name not in wanting]


def plan(encoders: Sequence[str], *, batch_tracks: int) -> list[EmbedBatch]:
    """The missing vectors of the available encoders in batches; no others are kept up to date."""
    encoders = available(encoders)
    batches = []
    for name in encoders:
        encoder_id = register(name)
        with engine("app").connect() as connection:
            missing = embeddings.pending(connection, encoder_id)
        batches += [EmbedBatch(name, ids) for ids in _chunks(missing, batch_tracks)]
    with engine("app").begin() as connection:
        plugins.want_only(connection, encoders)
    return batches


def embed(
    encoder: str,
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int,
    progress: Progress | None = None,
) -> EmbedResult:
    """Embeds what is missing, of `track_ids` where given, with one transaction a batch."""
    spec = registry.ENCODERS.spec(encoder)
    encoder_id = register(encoder)
    with engine("app").connect() as connection:
        missing = embeddings.pending(connection, encoder_id, track_ids)
    counts = {"embedded": 0, "rejected": 0, "failed": 0}
    model = registry.ENCODERS.load(encoder) if missing else None
    for ids in _chunks(missing, batch_tracks):
        assert model is not None
        with engine("app").connect() as connection:
            batch = tracks.tracks(connection, ids)
        _embed_batch(model, spec, encoder_id, batch, counts, progress, len(missing))
    return EmbedResult(**counts)


def embed_file(encoder: str, path: Path) -> Float32:
    """The vector, of shape (dimension,), of a file that need not be in the library.

    Raises RejectedInput where the file cannot be used.
    """
    facts = audio.inspect(path)
    spec = registry.ENCODERS.spec(encoder)
    return _vector(registry.ENCODERS.load(encoder), spec, path, facts.rms_dbfs)


def _subject(encoder: str) -> str:
    return f"encoder:{encoder}"


def _embed_batch(
    model: Encoder,
    spec: EncoderSpec,
    encoder_id: int,
    batch: Sequence[Track],
    counts: dict[str, int],
    progress: Progress | None,
    total: int,
) -> None:
    started = time.monotonic()
    vectors: dict[int, Float32] = {}
    problems: list[tuple[Track, Exception]] = []
    for track in batch:
        try:
            content.require_unchanged(track)
            vectors[track.track_id] = _vector(model, spec, track.path, track.rms_dbfs)
        except RejectedInput as problem:
            problems.append((track, problem))
            counts["rejected"] += 1
        except Exception as problem:  # noqa: BLE001 - the edge of the batch: the rest goes on
            problems.append((track, problem))
            counts["failed"] += 1
        else:
            counts["embedded"] += 1
        if progress:
            progress(sum(counts.values()), total)
    with engine("app").begin() as connection:
        embeddings.write(
            connection,
            encoder_id,
            vectors,
            device=str(getattr(model, "device", "cpu")),
            versions=_versions(registry.ENCODERS.needs(spec.name).libraries),
            seconds=time.monotonic() - started,
        )
        failures.settle(
            connection,
            stage="embed",
            revision=registry.revision(spec),
            done=[track for track in batch if track.track_id in vectors],
            problems=problems,
        )


def _versions(libraries: Sequence[str]) -> dict[str, str]:
    packages = packages_distributions() if libraries else {}
    of_libraries = [name for library in libraries for name in packages.get(library, ())]
    return {name: version(name) for name in (*_VERSIONS, *of_libraries)}


def _vector(model: Encoder, spec: EncoderSpec, path: Path, rms_dbfs: float) -> Float32:
    gain = 1.0 if spec.gain_dbfs is None else 10 ** ((spec.gain_dbfs - rms_dbfs) / 20)
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples, gain)
    total = np.zeros(spec.dimension)
    for clips in _calls(clip for _, clip in audio.windows(path, [request])):
        rows = model.embed(clips)
        if rows.shape != (len(clips), spec.dimension):
            raise PluginError(
                f"{spec.name} returned {rows.shape} for {len(clips)} windows, "
                f"not ({len(clips)}, {spec.dimension}): the plug-in is broken"
            )
        lengths = np.array([len(clip.samples) for clip in clips], dtype=np.float64)
        total += lengths @ rows.astype(np.float64)
    norm = float(np.linalg.norm(total))
    if not np.isfinite(norm):
        raise PluginError(f"{spec.name} returned numbers that are not finite")
    if norm == 0:
        raise RejectedInput("zero_vector", f"{spec.name} gives this audio a vector of zeros")
    return (total / norm).astype(np.float32)


def _calls(clips: Iterator[Clip]) -> Iterator[list[Clip]]:
    while call := list(itertools.islice(clips, WINDOWS_PER_CALL)):
        yield call


def _chunks(ids: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])
