"""Makes vectors: each track is decoded once, and every encoder takes the windows it asked for."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from more_itertools import batched

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import embeddings, failure_ledger, tracks
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.models import library_versions as versions
from mirpipe.models.runnable_plugins import attempt
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment, Float32, Progress, Track
from mirpipe.settings import cores, settings
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed.missing_vectors import register
from mirpipe.stages.embed.read_ahead import ahead
from mirpipe.stages.embed.window_pooling import Vectors, window_request

AHEAD_BYTES = 64 * 2**20
"""Of decoded audio that may wait, for each track that is read or is read ahead."""
MOST_DECODERS = 8


@dataclass(frozen=True)
class EmbedResult:
    """How many vectors were made, cannot be made, or failed and will be tried again."""

    embedded: int = 0
    rejected: int = 0
    failed: int = 0


@dataclass(frozen=True, eq=False)
class _Maker:
    """A loaded encoder and the tracks it is to embed."""

    spec: EncoderSpec
    encoder_id: int
    missing: frozenset[int]
    model: Encoder
    versions: dict[str, str]


def embed(
    encoders: Sequence[str],
    track_ids: Sequence[int] | None = None,
    *,
    batch_tracks: int,
    progress: Progress | None = None,
) -> EmbedResult:
    """Embeds what is missing, of `track_ids` where given, by encoders of this interpreter.

    A batch is one transaction an encoder. One that cannot be loaded, or that fails on a track,
    keeps no other from its work: that is in the ledger, and counted as failed.
    """
    makers, failed = _loaded(encoders, track_ids)
    counts = Counter(failed=failed)
    wanted = sorted({track_id for maker in makers for track_id in maker.missing})
    total = sum(len(maker.missing) for maker in makers)
    handled = 0

    def makers_of(track: Track) -> list[_Maker]:
        return [maker for maker in makers if track.track_id in maker.missing]

    def windows(track: Track) -> Generator[tuple[int, AudioSegment], None, None]:
        content_hash.require_unchanged(track)
        asked = [window_request(maker.spec, track.rms_dbfs) for maker in makers_of(track)]
        yield from audio.windows(track.path, asked)

    batch = _Batch(makers)
    with closing(
        ahead(
            _tracks(wanted, batch_tracks),
            windows,
            threads=max(1, min(MOST_DECODERS, cores() // settings().slots)),
            most=AHEAD_BYTES,
            size=lambda window: window[1].samples.nbytes,
        )
    ) as decoded:
        for track, found in decoded:
            batch.add(track, found, makers_of(track))
            handled += len(makers_of(track))
            if progress:
                progress(handled, total)
            if len(batch.tracks) == batch_tracks:
                counts += batch.write()
                batch = _Batch(makers)
    counts += batch.write()
    return EmbedResult(**counts)


def embed_file(encoder: str, path: Path) -> Float32:
    """The vector, of shape (dimension,), of a file that need not be in the library.

    Raises RejectedInput where the file cannot be used.
    """
    facts = audio.inspect(path)
    spec = registry.ENCODERS.spec(encoder)
    vectors = Vectors(registry.ENCODERS.load(encoder), spec)
    windows = audio.windows(path, [window_request(spec, facts.rms_dbfs)])
    _take(0, windows, [vectors])
    vectors.finish()
    for problem in vectors.problems.values():
        raise problem
    return vectors.made[0]


class _Batch:
    """The tracks of one transaction an encoder, and what becomes of them."""

    def __init__(self, makers: Sequence[_Maker]) -> None:
        self.tracks: list[Track] = []
        self._vectors = {maker: Vectors(maker.model, maker.spec) for maker in makers}

    def add(
        self, track: Track, windows: Iterator[tuple[int, AudioSegment]], makers: Sequence[_Maker]
    ) -> None:
        """`windows` come with their encoder's index in `makers`."""
        self.tracks.append(track)
        takers = [self._vectors[maker] for maker in makers]
        problem = result_or_error(_take, track.track_id, windows, takers)
        if problem is not None:  # of decoding
            for taker in takers:
                taker.fail(track.track_id, problem)

    def write(self) -> Counter[str]:
        """Stores what there is of every encoder; how many were embedded, rejected and failed."""
        counts: Counter[str] = Counter()
        for maker, vectors in self._vectors.items():
            vectors.finish()
            _write(maker, vectors, self.tracks)
            rejected = sum(isinstance(why, RejectedInput) for why in vectors.problems.values())
            counts["embedded"] += len(vectors.made)
            counts["rejected"] += rejected
            counts["failed"] += len(vectors.problems) - rejected
        return counts


def _take(
    track_id: int, windows: Iterator[tuple[int, AudioSegment]], takers: Sequence[Vectors]
) -> None:
    for index, segment in windows:
        takers[index].add(track_id, segment)
        if all(track_id in taker.problems for taker in takers):
            return
    for taker in takers:
        taker.end(track_id)


def _write(maker: _Maker, vectors: Vectors, batch: Sequence[Track]) -> None:
    by_id = {track.track_id: track for track in batch}
    with engine("app").begin() as connection:
        embeddings.write(
            connection,
            maker.encoder_id,
            vectors.made,
            device=str(getattr(maker.model, "device", "cpu")),
            versions=maker.versions,
            seconds=vectors.seconds,
        )
        failure_ledger.settle(
            connection,
            stage="embed",
            revision=registry.revision(maker.spec),
            done=[by_id[track_id] for track_id in vectors.made],
            problems=[(by_id[track_id], why) for track_id, why in vectors.problems.items()],
        )


def _loaded(encoders: Sequence[str], track_ids: Sequence[int] | None) -> tuple[list[_Maker], int]:
    """The encoders that work and lack something, and how many vectors the others fail to make."""
    makers, failed = [], 0
    for name in encoders:
        spec = attempt(registry.ENCODERS, name, registry.ENCODERS.spec, stage="embed")
        if spec is None:
            failed += 1
            continue
        encoder_id = register(spec)
        with engine("app").connect() as connection:
            lacking = embeddings.pending(connection, encoder_id, track_ids)
        if not lacking:
            continue
        model = attempt(registry.ENCODERS, name, registry.ENCODERS.load, stage="embed")
        if model is None:
            failed += len(lacking)
            continue
        made_with = versions.of(registry.ENCODERS.needs(name).libraries)
        makers.append(_Maker(spec, encoder_id, frozenset(lacking), model, made_with))
    return makers, failed


def _tracks(ids: Sequence[int], at_once: int) -> Iterator[Track]:
    for batch in batched(ids, at_once):
        with engine("app").connect() as connection:
            some = tracks.tracks(connection, batch)
        yield from some
