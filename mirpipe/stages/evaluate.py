"""Evaluate: every number that an answer, or a clip of a target, has beside its target.

Melodies, notes and vectors are compared as they are stored: no audio is decoded for a pair. Each
number is missing by itself, and those that a pair lacks are computed together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from sqlalchemy import Connection

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import melodies, plugin_revisions
from mirpipe.db.store import pair_scores as pairs
from mirpipe.db.store import track_features as stored
from mirpipe.models.runnable_plugins import attempt
from mirpipe.music import features
from mirpipe.music.metrics import aligned_melody, melody_chance_correction
from mirpipe.music.metrics import melody_accuracy as melody
from mirpipe.music.metrics.clap_similarity import CLAP_SIMILARITY, LIBRARY
from mirpipe.music.metrics.clap_text_score import TEXT_SCORE
from mirpipe.music.metrics.melody_chance_correction import BesideChance
from mirpipe.records import Float64, Progress, Score, UInt8
from mirpipe.settings import settings
from mirpipe.specs import MetricSpec

PAIRS_PER_BLOCK = 512
"""A transaction, and what bounds memory: the melodies of one block are held at once."""


@dataclass(frozen=True)
class EvaluateResult:
    """How many numbers were made of the pairs that lacked some."""

    measured: int
    undefined: int
    """Stored without a number, with the reason."""


@dataclass(frozen=True)
class Metrics:
    """Ids of the present revisions."""

    melody: int
    features: int
    pairs: Mapping[str, int]
    """Of the numbers of pairs, by name."""
    clap: plugin_revisions.WantedEncoder | None
    """Whose vectors are compared."""


@dataclass(frozen=True)
class _Side:
    """What is stored of a track."""

    melody: melodies.StoredMelody
    packed_notes: bytes | None

    @cached_property
    def pitch_classes(self) -> UInt8:
        assert self.melody.pitch_classes is not None
        assert self.melody.frames is not None
        return melody.unpack(self.melody.pitch_classes, self.melody.frames)

    @cached_property
    def sounding(self) -> Float64 | str:
        assert self.packed_notes is not None  # or the pair would not be pending
        return aligned_melody.sounding(features.unpack_notes(self.packed_notes))


def register() -> Metrics:
    """The present revisions, made known to the database as the wanted ones."""
    of_melody = registry.metric_revision(melody.MELODY)
    of_features = registry.metric_revision(features.SPEC)
    with engine("app").begin() as connection:
        clap = _clap(plugin_revisions.wanted_encoders(connection))

        def of(spec: MetricSpec, *made_from: str) -> int:
            revision = registry.metric_revision(spec, *made_from)
            return plugin_revisions.register_metric(connection, spec, revision)

        ids = {melody.ACCURACY.name: of(melody.ACCURACY)}
        ids |= {spec.name: of(spec, of_melody) for spec in melody_chance_correction.SPECS.values()}
        ids[aligned_melody.ALIGNED.name] = of(aligned_melody.ALIGNED, of_melody, of_features)
        if clap is None:
            plugin_revisions.retire_metrics(connection, [CLAP_SIMILARITY.name, TEXT_SCORE.name])
        else:
            for spec in (CLAP_SIMILARITY, TEXT_SCORE):
                revision = registry.metric_revision(spec, clap.revision)
                metric_id = plugin_revisions.register_metric(
                    connection, spec, revision, encoder=clap
                )
                if spec is CLAP_SIMILARITY:
                    ids[spec.name] = metric_id
        return Metrics(of(melody.MELODY), of(features.SPEC), ids, clap)


def evaluate(*, progress: Progress | None = None) -> EvaluateResult:
    """Makes every number that a pair lacks and can have, with one transaction a block of pairs."""
    metrics = register()
    measured = undefined = done = 0
    with engine("app").connect() as reading:
        pending = pairs.pending(reading, list(metrics.pairs.values()), block=PAIRS_PER_BLOCK)
        for block, total in pending:
            with engine("app").begin() as connection:
                scores = _compare(connection, metrics, block)
                pairs.write(connection, scores)
            values = [score.value for of_metric in scores.values() for score in of_metric.values()]
            undefined += values.count(None)
            measured += len(values) - values.count(None)
            done += len(block)
            if progress:
                progress(done, total)
    return EvaluateResult(measured, undefined)


def _clap(
    wanted: Mapping[str, plugin_revisions.WantedEncoder],
) -> plugin_revisions.WantedEncoder | None:
    """The first CLAP of the settings that can run here."""
    for name in settings().encoders:
        if name in wanted:
            needs = attempt(registry.ENCODERS, name, registry.ENCODERS.needs, stage="embed")
            if needs is not None and LIBRARY in needs.libraries:
                return wanted[name]
    return None


def _compare(
    connection: Connection, metrics: Metrics, block: Sequence[pairs.PendingPair]
) -> dict[int, dict[pairs.Pair, Score]]:
    """By metric id and pair, what the pairs of a block lack."""
    found: dict[int, dict[pairs.Pair, Score]] = {id_: {} for id_ in metrics.pairs.values()}
    of_vectors = metrics.pairs.get(CLAP_SIMILARITY.name)
    if metrics.clap is not None and of_vectors is not None:
        asked = [one.pair for one in block if of_vectors in one.metric_ids]
        found[of_vectors] = pairs.cosines(connection, metrics.clap.encoder_id, asked)
    melodic = {name: id_ for name, id_ in metrics.pairs.items() if id_ != of_vectors}
    heard = [one for one in block if one.metric_ids & set(melodic.values())]
    sides = _sides(connection, metrics, heard)
    for one in heard:
        lacking = {name for name, id_ in melodic.items() if id_ in one.metric_ids}
        target, reference = one.pair
        for name, score in _numbers(sides[target], sides[reference], lacking).items():
            found[metrics.pairs[name]][one.pair] = score
    return found


def _sides(
    connection: Connection, metrics: Metrics, block: Sequence[pairs.PendingPair]
) -> dict[int, _Side]:
    ids = sorted({track_id for one in block for track_id in one.pair})
    notes = stored.notes(connection, metrics.features, ids)
    found = melodies.read(connection, metrics.melody, ids)
    return {track_id: _Side(row, notes.get(track_id)) for track_id, row in found.items()}


def _numbers(target: _Side, reference: _Side, lacking: set[str]) -> dict[str, Score]:
    """The numbers that are named, and no more work than they take."""
    reason = target.melody.reason or reference.melody.reason
    if reason:
        return {name: Score(None, reason) for name in lacking}
    found = {}
    if melody.ACCURACY.name in lacking:
        accuracy = melody.accuracy(target.pitch_classes, reference.pitch_classes)
        found[melody.ACCURACY.name] = accuracy
    is_pitched = target.melody.voiced and reference.melody.voiced
    if not is_pitched:
        return {name: Score(None, "unpitched") for name in lacking} | found
    if aligned_melody.ALIGNED.name in lacking:
        found[aligned_melody.ALIGNED.name] = aligned_melody.compare(
            target.sounding, reference.sounding
        )
    if {spec.name for spec in melody_chance_correction.SPECS.values()} & lacking:
        beside = melody_chance_correction.beside_chance(
            target.pitch_classes, reference.pitch_classes
        )
        found |= {
            melody_chance_correction.SPECS[field.name].name: getattr(beside, field.name)
            for field in fields(BesideChance)
        }
    return found
