"""Evaluate: computes the scores of pairs. A pair is a target and one of its matches or clips.

Stored melodies, notes and vectors are compared; no audio is decoded. A match is compared with the
complete target, and a clip with the target's excerpt. Only missing scores are computed. All missing
scores of a pair are computed together. Fingerprints are also compared, to find tracks that contain
the same recording.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import excerpts, melodies, pair_scores, plugin_revisions, track_features
from mirpipe.library.same_recordings import find_same_recordings
from mirpipe.models.runnable_plugins import try_plugin
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes
from mirpipe.music.features.pitch_class_packing import unpack_pitch_classes
from mirpipe.music.metrics import (
    aligned_melody,
    melody_accuracy,
    melody_chance_correction,
    melody_offset,
)
from mirpipe.music.metrics.clap_similarity import CLAP_LIBRARY, CLAP_SIMILARITY
from mirpipe.music.metrics.clap_text_score import TEXT_SCORE
from mirpipe.music.metrics.muq_mulan_text_score import MUQ_MULAN_ENCODER, MUQ_MULAN_TEXT_SCORE
from mirpipe.records import Excerpt, Float64, Progress, Score, UInt8
from mirpipe.settings import settings
from mirpipe.specs import MetricSpec, Needs

PAIRS_PER_BLOCK = 512
"""Number of pairs per transaction. It limits the memory for the melodies."""
_COMPARISONS: tuple[tuple[Mapping[str, MetricSpec], Callable[[UInt8, UInt8], object]], ...] = (
    (melody_offset.SPECS, melody_offset.best_offset),
    (melody_chance_correction.SPECS, melody_chance_correction.correct_for_chance),
)
"""Metrics that one function computes from two melodies, by field of its result."""


@dataclass(frozen=True)
class EvaluateResult:
    """Numbers of scores that were stored."""

    measured: int
    undefined: int
    """Number of scores that have no value. The reason is stored instead."""
    same_recordings: int = 0
    """Number of pairs of new tracks and others that contain the same recording."""


@dataclass(frozen=True)
class ConfiguredMetrics:
    """Ids of the configured revisions that evaluate uses."""

    melody: int
    """Id of the configured melody revision."""
    features: int
    """Id of the configured features revision."""
    pairs: Mapping[str, int]
    """Ids of the metrics that compare pairs, by name."""
    clap: plugin_revisions.ConfiguredEncoder | None
    """CLAP revision whose vectors are compared. None if no CLAP encoder is configured."""


@dataclass(frozen=True)
class _StoredTrack:
    """The stored melody and notes of a track, or of an excerpt of it."""

    melody: melodies.StoredMelody
    packed_notes: bytes | None
    """Packed notes of the transcription. None if the track has no features."""
    excerpt: Excerpt | None = None
    """Excerpt to which the melody and the notes are cut. None for the complete track."""

    @cached_property
    def pitch_classes(self) -> UInt8:
        """The melody as one pitch class per frame, shape (frames,)."""
        assert self.melody.pitch_classes is not None
        assert self.melody.frames is not None
        complete = unpack_pitch_classes(self.melody.pitch_classes, self.melody.frames)
        if self.excerpt is None:
            return complete
        return melody_pitch_classes.cut_pitch_classes(complete, self.excerpt)

    @cached_property
    def chroma(self) -> Float64 | str:
        """The chroma of the notes, or the reason why the notes have no chroma."""
        assert self.packed_notes is not None  # The score is pending only if the notes are stored.
        notes = features.unpack_notes(self.packed_notes)
        if self.excerpt is not None:
            notes = features.cut_notes(notes, self.excerpt)
        return aligned_melody.note_chroma(notes)


def register() -> ConfiguredMetrics:
    """Register the current revisions as the configured ones, and return their ids.

    If no encoder is configured whose vectors a metric compares, the metric is marked as not
    configured.
    """
    melody_revision = registry.metric_revision(melody_pitch_classes.MELODY)
    features_revision = registry.metric_revision(features.SPEC)
    with engine("app").begin() as connection:
        # A revision that may never become active must not interrupt the scores of the active one.
        configured = plugin_revisions.configured_encoders(
            connection, prefer_active=settings().promotion != "complete"
        )
        clap = _first_encoder(configured, lambda _, needs: CLAP_LIBRARY in needs.libraries)
        muq_mulan = _first_encoder(configured, lambda name, _: name == MUQ_MULAN_ENCODER)

        def register_metric(spec: MetricSpec, *input_revisions: str) -> int:
            revision = registry.metric_revision(spec, *input_revisions)
            return plugin_revisions.register_metric(connection, spec, revision)

        accuracy = melody_accuracy.ACCURACY
        ids = {accuracy.name: register_metric(accuracy)}
        for spec in (*melody_chance_correction.SPECS.values(), *melody_offset.SPECS.values()):
            ids[spec.name] = register_metric(spec, melody_revision)
        aligned = aligned_melody.ALIGNED
        ids[aligned.name] = register_metric(aligned, melody_revision, features_revision)
        compared = ((CLAP_SIMILARITY, clap), (TEXT_SCORE, clap), (MUQ_MULAN_TEXT_SCORE, muq_mulan))
        for spec, encoder in compared:
            if encoder is None:
                plugin_revisions.unconfigure_metrics(connection, [spec.name])
                continue
            revision = registry.metric_revision(spec, encoder.revision)
            metric_id = plugin_revisions.register_metric(
                connection, spec, revision, encoder=encoder
            )
            # A text score compares a caption with a clip, so it is not a score of a pair.
            if spec is CLAP_SIMILARITY:
                ids[spec.name] = metric_id
        return ConfiguredMetrics(
            register_metric(melody_pitch_classes.MELODY),
            register_metric(features.SPEC),
            ids,
            clap,
        )


def evaluate(*, rebuild: bool = False, progress: Progress | None = None) -> EvaluateResult:
    """Compute all pending scores whose inputs are stored, in one transaction per block of pairs.

    New fingerprints are compared first, to find tracks that contain the same recording. If
    `rebuild` is true, all fingerprints are compared again.
    """
    same_recordings = find_same_recordings(rebuild=rebuild)
    metrics = register()
    measured = undefined = finished = 0
    blocks = pair_scores.pending(list(metrics.pairs.values()), block=PAIRS_PER_BLOCK)
    for block, total in blocks:
        with engine("app").begin() as connection:
            scores = _score_block(connection, metrics, block)
            pair_scores.write(connection, scores)
        values = [score.value for by_pair in scores.values() for score in by_pair.values()]
        undefined += values.count(None)
        measured += len(values) - values.count(None)
        finished += len(block)
        if progress:
            progress(finished, total)
    return EvaluateResult(measured, undefined, same_recordings)


def _first_encoder(
    configured: Mapping[str, plugin_revisions.ConfiguredEncoder],
    is_suitable: Callable[[str, Needs], bool],
) -> plugin_revisions.ConfiguredEncoder | None:
    """Return the first suitable configured encoder that can run on this machine, or None."""
    for name in settings().encoders:
        if name in configured:
            needs = try_plugin(registry.ENCODERS, name, registry.ENCODERS.needs, stage="embed")
            if needs is not None and is_suitable(name, needs):
                return configured[name]
    return None


def _score_block(
    connection: Connection, metrics: ConfiguredMetrics, block: Sequence[pair_scores.PendingPair]
) -> dict[int, dict[pair_scores.Pair, Score]]:
    """Compute the pending scores of a block of pairs, and return them by metric id and pair."""
    scores: dict[int, dict[pair_scores.Pair, Score]] = {id_: {} for id_ in metrics.pairs.values()}
    clap_id = metrics.pairs.get(CLAP_SIMILARITY.name)
    if metrics.clap is not None and clap_id is not None:
        pairs = [pending.pair for pending in block if clap_id in pending.metric_ids]
        scores[clap_id] = pair_scores.cosines(connection, metrics.clap.encoder_id, pairs)
    melodic = {name: id_ for name, id_ in metrics.pairs.items() if id_ != clap_id}
    melodic_ids = set(melodic.values())
    melodic_pairs = [pending for pending in block if pending.metric_ids & melodic_ids]
    stored_tracks = _read_tracks(connection, metrics, melodic_pairs)
    chroma = {}
    for pending in melodic_pairs:
        names = {name for name, id_ in melodic.items() if id_ in pending.metric_ids}
        target = stored_tracks[pending.pair.target_id, pending.pair.excerpt_id]
        reference = stored_tracks[pending.pair.reference_id, None]
        for name, score in _melody_scores(target, reference, names).items():
            scores[metrics.pairs[name]][pending.pair] = score
        if aligned_melody.ALIGNED.name in names and _are_pitched(target, reference):
            chroma[pending.pair] = target.chroma, reference.chroma
    similarities = aligned_melody.compare_chroma(list(chroma.values()))
    scores[melodic[aligned_melody.ALIGNED.name]] |= zip(chroma, similarities, strict=True)
    return scores


def _read_tracks(
    connection: Connection, metrics: ConfiguredMetrics, block: Sequence[pair_scores.PendingPair]
) -> dict[tuple[int, int | None], _StoredTrack]:
    """Return the stored melody and notes of each track and excerpt in these pairs.

    The keys are pairs of a track id and an excerpt id, which is None for a complete track.
    """
    pairs = [pending.pair for pending in block]
    track_ids = sorted({id_ for pair in pairs for id_ in (pair.target_id, pair.reference_id)})
    notes = track_features.read_notes(connection, metrics.features, track_ids)
    rows = melodies.read(connection, metrics.melody, track_ids)
    stored: dict[tuple[int, int | None], _StoredTrack] = {
        (track_id, None): _StoredTrack(row, notes.get(track_id)) for track_id, row in rows.items()
    }
    ids = {pair.excerpt_id for pair in pairs if pair.excerpt_id is not None}
    found = excerpts.read(connection, sorted(ids))
    for pair in pairs:
        if pair.excerpt_id is not None:
            excerpt, complete = found[pair.excerpt_id], stored[pair.target_id, None]
            key = pair.target_id, pair.excerpt_id
            stored[key] = complete if excerpt.is_whole else replace(complete, excerpt=excerpt)
    return stored


def _melody_scores(
    target: _StoredTrack, reference: _StoredTrack, names: set[str]
) -> dict[str, Score]:
    """Return the scores of the metrics in `names`, and compute only what these metrics need.

    The aligned melody of pitched tracks is left out, because many pairs are compared together.
    """
    reason = target.melody.reason or reference.melody.reason
    if reason:
        return {name: Score(None, reason) for name in names}
    scores = {}
    if melody_accuracy.ACCURACY.name in names:
        accuracy = melody_accuracy.accuracy(target.pitch_classes, reference.pitch_classes)
        scores[melody_accuracy.ACCURACY.name] = accuracy
    if not _are_pitched(target, reference):
        return {name: Score(None, "unpitched") for name in names} | scores
    classes = target.pitch_classes, reference.pitch_classes
    for metrics, compare in _COMPARISONS:
        if names & {spec.name for spec in metrics.values()}:
            found = compare(*classes)
            scores |= {spec.name: getattr(found, field) for field, spec in metrics.items()}
    return scores


def _are_pitched(target: _StoredTrack, reference: _StoredTrack) -> bool:
    return bool(target.melody.voiced and reference.melody.voiced)
