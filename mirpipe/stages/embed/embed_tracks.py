"""Embeds tracks and excerpts: decodes each track once for all encoders that need its windows."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from more_itertools import batched

from mirpipe import audio, registry
from mirpipe.available_cores import available_cores
from mirpipe.db.engine import engine
from mirpipe.db.store import embeddings, excerpt_embeddings, failure_ledger, tracks
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.library.track_silence import silence_of
from mirpipe.models import device_lease, package_versions, peak_memory
from mirpipe.models.runnable_plugins import try_plugin
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment, Excerpt, Float32, Progress, Track
from mirpipe.settings import settings
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed.missing_vectors import register
from mirpipe.stages.embed.read_ahead import read_ahead
from mirpipe.stages.embed.window_pooling import WindowPooler, window_request

READ_AHEAD_BYTES = 64 * 2**20
"""Largest amount of decoded audio that waits in memory per track, in bytes."""
MAX_DECODERS = 8
"""Largest number of decoding threads."""
EXCERPT_STAGE = "embed excerpts"
"""Stage name of excerpts in the failure ledger.

It differs from `embed`, so that a track whose excerpt is silent is still usable.
"""


@dataclass(frozen=True)
class EmbedResult:
    """Numbers of vectors, by result. The next run retries the failed vectors."""

    embedded: int = 0
    rejected: int = 0
    failed: int = 0


@dataclass(frozen=True)
class _ConfiguredEncoder:
    """An encoder whose current revision is registered."""

    spec: EncoderSpec
    encoder_id: int

    def pending(self, track_ids: Sequence[int] | None) -> tuple[list[int], dict[int, Excerpt]]:
        """Return the ids of the tracks to embed, and the excerpts to embed, by track id."""
        with engine("app").connect() as connection:
            return (
                embeddings.pending(connection, self.encoder_id, track_ids),
                excerpt_embeddings.pending(connection, self.encoder_id, track_ids),
            )


@dataclass(frozen=True, eq=False)
class _LoadedEncoder:
    """An encoder with its model, and its pending tracks or excerpts."""

    spec: EncoderSpec
    encoder_id: int
    pending: frozenset[int]
    """Ids of the tracks that the encoder has to embed completely, or of which it has to embed an
    excerpt."""
    excerpts: Mapping[int, Excerpt]
    """Excerpts to embed, by track id. Empty if the encoder has to embed complete tracks."""
    model: Encoder
    versions: dict[str, str]
    """Versions of the libraries that the encoder uses."""


def embed(
    encoders: Sequence[str],
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> EmbedResult:
    """Embed all pending tracks and excerpts with encoders of this interpreter.

    If `track_ids` is given, only these tracks and their excerpts are embedded.

    Each transaction stores the vectors of up to `batch_tracks` tracks by one encoder. An encoder
    that cannot be loaded or fails on a track does not affect the other encoders. Its missing
    vectors count as failed, and the cause is recorded in the failure ledger. If an encoder computes
    on a GPU, the GPU is reserved; if another process uses it, `on_wait` is called with its name.
    """
    configured, failed = _configured_encoders(encoders)
    with_work = [encoder for encoder in configured if any(encoder.pending(track_ids))]
    needs = [registry.ENCODERS.needs(encoder.spec.name) for encoder in with_work]
    with device_lease.hold_gpu(needs, on_wait=on_wait):
        peak_memory.reset()
        loaded, failed_to_load = _load_encoders(with_work, track_ids)
        counts = _embed_pending(loaded, batch_tracks, progress)
    counts["failed"] += failed + failed_to_load
    return EmbedResult(**counts)


def _embed_pending(
    loaded: Sequence[_LoadedEncoder], batch_tracks: int, progress: Progress | None
) -> Counter[str]:
    """Embed the pending tracks of these encoders, and count the vectors by result."""
    counts: Counter[str] = Counter()
    pending = sorted({track_id for encoder in loaded for track_id in encoder.pending})
    total = sum(len(encoder.pending) for encoder in loaded)
    finished = 0

    def encoders_of(track: Track) -> list[_LoadedEncoder]:
        return [encoder for encoder in loaded if track.track_id in encoder.pending]

    def read_windows(track: Track) -> Generator[tuple[int, AudioSegment], None, None]:
        with content_hash.unchanged_copy(track) as path:
            silence = silence_of(track, path)
            requests = [
                window_request(encoder.spec, silence, encoder.excerpts.get(track.track_id))
                for encoder in encoders_of(track)
            ]
            yield from audio.read_windows(path, requests, mix=track.mono)

    batch = _TrackBatch(loaded)
    with closing(
        read_ahead(
            _usable_tracks(pending, batch_tracks),
            read_windows,
            threads=max(1, min(MAX_DECODERS, available_cores() // settings().slots)),
            max_size=READ_AHEAD_BYTES,
            size=lambda window: window[1].samples.nbytes,
        )
    ) as decoded_tracks:
        for track, windows in decoded_tracks:
            batch.add(track, windows, encoders_of(track))
            finished += len(encoders_of(track))
            if progress:
                progress(finished, total)
            if len(batch.tracks) == batch_tracks:
                counts += batch.store()
                batch = _TrackBatch(loaded)
    return counts + batch.store()


def embed_file(
    encoder: str, path: Path, *, on_wait: Callable[[str], None] | None = None
) -> Float32:
    """Return the vector of an audio file, shape (dimension,), float32, of length 1.

    The file need not be in the library. Nothing is stored. If another process uses the GPU,
    `on_wait` is called with the GPU's name, and the function waits. Raises RejectedInput if the
    file cannot be used.
    """
    facts = audio.read_audio_facts(path)
    spec = registry.ENCODERS.spec(encoder)
    with device_lease.hold_gpu([registry.ENCODERS.needs(encoder)], on_wait=on_wait):
        pooler = WindowPooler(registry.ENCODERS.load(encoder), spec)
        request = window_request(spec, facts.silence)
        windows = audio.read_windows(path, [request], mix=facts.mix)
        _add_windows(0, windows, [pooler])
        pooler.finish()
    for error in pooler.failures.values():
        raise error
    return pooler.vectors[0]


class _TrackBatch:
    """A batch of tracks. Each encoder's vectors are stored in one transaction."""

    def __init__(self, encoders: Sequence[_LoadedEncoder]) -> None:
        self.tracks: list[Track] = []
        # The memory of a process with several models says nothing about one of them.
        self._measures_memory = len({encoder.encoder_id for encoder in encoders}) == 1
        self._poolers = {encoder: WindowPooler(encoder.model, encoder.spec) for encoder in encoders}

    def add(
        self,
        track: Track,
        windows: Iterator[tuple[int, AudioSegment]],
        encoders: Sequence[_LoadedEncoder],
    ) -> None:
        """Embed a track's windows. Each window is paired with the index of its encoder."""
        self.tracks.append(track)
        poolers = [self._poolers[encoder] for encoder in encoders]
        decoding_error = result_or_error(_add_windows, track.track_id, windows, poolers)
        if decoding_error is not None:
            for pooler in poolers:
                pooler.fail_track(track.track_id, decoding_error)

    def store(self) -> Counter[str]:
        """Store the vectors and failures of all encoders, and count them by result."""
        counts: Counter[str] = Counter()
        for encoder, pooler in self._poolers.items():
            pooler.finish()
            _store_vectors(encoder, pooler, self.tracks, measure_memory=self._measures_memory)
            errors = pooler.failures.values()
            rejected = sum(isinstance(error, RejectedInput) for error in errors)
            counts["embedded"] += len(pooler.vectors)
            counts["rejected"] += rejected
            counts["failed"] += len(pooler.failures) - rejected
        return counts


def _add_windows(
    track_id: int, windows: Iterator[tuple[int, AudioSegment]], poolers: Sequence[WindowPooler]
) -> None:
    """Pass each window to the pooler with that index. Stop if the track failed in all poolers."""
    for index, segment in windows:
        poolers[index].add(track_id, segment)
        if all(track_id in pooler.failures for pooler in poolers):
            return
    for pooler in poolers:
        pooler.complete_track(track_id)


def _store_vectors(
    encoder: _LoadedEncoder, pooler: WindowPooler, batch: Sequence[Track], *, measure_memory: bool
) -> None:
    """Store one encoder's vectors for a batch, and update the failure ledger."""
    by_id = {track.track_id: track for track in batch}
    device = str(getattr(encoder.model, "device", "cpu"))
    vectors, write, stage = pooler.vectors, embeddings.write, "embed"
    if encoder.excerpts:
        vectors = {encoder.excerpts[id_].excerpt_id: vector for id_, vector in vectors.items()}
        write, stage = excerpt_embeddings.write, EXCERPT_STAGE
    with engine("app").begin() as connection:
        write(
            connection,
            encoder.encoder_id,
            vectors,
            device=device,
            versions=encoder.versions,
            seconds=pooler.model_seconds,
            peak_memory_bytes=peak_memory.read(device) if measure_memory else None,
        )
        failure_ledger.update_for_tracks(
            connection,
            stage=stage,
            revision=registry.revision(encoder.spec),
            succeeded=[by_id[track_id] for track_id in pooler.vectors],
            failed=[(by_id[track_id], error) for track_id, error in pooler.failures.items()],
        )


def _configured_encoders(names: Sequence[str]) -> tuple[list[_ConfiguredEncoder], int]:
    """Register the encoders. Return them, and the number of encoders that are unknown or broken."""
    specs = [try_plugin(registry.ENCODERS, n, registry.ENCODERS.spec, stage="embed") for n in names]
    configured = [_ConfiguredEncoder(spec, register(spec)) for spec in specs if spec is not None]
    return configured, len(specs) - len(configured)


def _load_encoders(
    configured: Sequence[_ConfiguredEncoder], track_ids: Sequence[int] | None
) -> tuple[list[_LoadedEncoder], int]:
    """Load the encoders that still have pending tracks or excerpts.

    An encoder that has both is returned twice, with the same model.

    Returns the loaded encoders, and the number of vectors that are missing because an encoder
    cannot be loaded.
    """
    loaded, failed = [], 0
    for encoder in configured:
        pending, excerpts = encoder.pending(track_ids)
        name = encoder.spec.name
        if not pending and not excerpts:
            continue
        model = try_plugin(registry.ENCODERS, name, registry.ENCODERS.load, stage="embed")
        if model is None:
            failed += len(pending) + len(excerpts)
            continue
        versions = package_versions.installed_versions(registry.ENCODERS.needs(name).libraries)
        for ids, of_tracks in ((frozenset(pending), {}), (frozenset(excerpts), excerpts)):
            if ids:
                loaded.append(
                    _LoadedEncoder(
                        encoder.spec, encoder.encoder_id, ids, of_tracks, model, versions
                    )
                )
    return loaded, failed


def _usable_tracks(track_ids: Sequence[int], page_tracks: int) -> Iterator[Track]:
    """Yield the usable tracks with these ids. Each query reads up to `page_tracks` tracks."""
    for page in batched(track_ids, page_tracks):
        with engine("app").connect() as connection:
            usable = tracks.usable_tracks(connection, page)
        yield from usable
