"""Runs the pipeline on a library that grows and shrinks, with synthetic results instead of models.

Every row is written by the same store functions that the stages use. `retrieve` and `report` are
the real stages, because they contain the work that depends on the history.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from benchmarks.large_library import clustered_vectors, measure_seconds
from mirpipe.db.engine import engine
from mirpipe.db.store import (
    captions,
    embeddings,
    excerpts,
    failure_ledger,
    generations,
    melodies,
    pair_scores,
    plugin_revisions,
    track_features,
    track_files,
    track_scores,
    tracks,
    waveforms,
)
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes
from mirpipe.music.metrics import aligned_melody, melody_accuracy, melody_chance_correction
from mirpipe.records import Collection, Score, Silence
from mirpipe.settings import settings
from mirpipe.specs import CaptionerSpec, EncoderSpec, GeneratorSpec, TrackMetricSpec
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve

ENCODERS = ("encoder0", "encoder1")
DIMENSION = 16
MODES = (("simple", False, 3.0), ("medium", True, 3.0), ("strong", True, 5.0))
"""Name, whether the target's audio is used, and guidance of each mode."""

_NO_WEIGHTS = {
    "version": 1,
    "checkpoint": "none",
    "checkpoint_sha256": "0" * 64,
    "licence_code": "none",
    "licence_weights": "none",
    "citation": "none",
}
_ENCODER = EncoderSpec(
    name="encoder",
    sample_rate=16_000,
    window_samples=16_000,
    dimension=DIMENSION,
    gain_dbfs=None,
    **_NO_WEIGHTS,
)
_AESTHETICS = TrackMetricSpec(
    name="aesthetics",
    sample_rate=16_000,
    window_samples=16_000,
    axes=("aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq"),
    low=1,
    high=10,
    unit="points",
    **_NO_WEIGHTS,
)
_CAPTIONER = CaptionerSpec(
    name="captioner", sample_rate=16_000, window_samples=16_000, instruction="", **_NO_WEIGHTS
)
_GENERATOR = GeneratorSpec(
    name="generator",
    sample_rate=16_000,
    longest_seconds=30,
    has_guidance=True,
    sampling={},
    **_NO_WEIGHTS,
)
_PAIR_METRICS = (
    melody_accuracy.ACCURACY,
    *melody_chance_correction.SPECS.values(),
    aligned_melody.ALIGNED,
)
_NO_SILENCE = Silence(parts=(), share=0.0, sounding_rms_dbfs=-20.0)
_USABLE = text(
    "SELECT f.path FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id) "
    "WHERE t.collection = :collection AND t.state = 'ok' ORDER BY t.track_id"
)
_GONE = text(
    "SELECT f.path FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id) "
    "WHERE t.collection = 'reference' AND t.state = 'gone' ORDER BY t.track_id DESC LIMIT 50"
)


class SyntheticPipeline:
    """A library, and the number of the next run on it.

    Each run adds and removes a few references. Every tenth run replaces a target. Every
    `runs_per_revision` runs, one plug-in has a new revision.
    """

    def __init__(self, *, references: int, targets: int, runs_per_revision: int) -> None:
        self._random = np.random.default_rng(0)
        self._centres = self._random.standard_normal((20, DIMENSION))
        self._sizes = {"reference": references, "target": targets}
        self._runs_per_revision = runs_per_revision
        self._new_files = 0
        self._run = 0
        self._ids: dict[str, int] = {}

    def run_once(self) -> dict[str, float]:
        """Change the library, and run all stages. Return the time of each stage, in seconds."""
        self._register()
        stages: dict[str, Callable[[], object]] = {
            "ingest": self._ingest,
            "embed": self._embed,
            "score": self._score,
            "analyse": self._analyse,
            "retrieve": retrieve,
            "evaluate": self._evaluate,
            "caption": self._caption,
            "generate": self._generate,
            "report": lambda: report(trigger=f"run {self._run}"),
        }
        seconds = {name: measure_seconds(stage) for name, stage in stages.items()}
        self._run += 1
        return seconds

    def _register(self) -> None:
        """Register the revision of every plug-in. The plug-ins change their revision in turn."""
        revisions, turn = divmod(self._run, self._runs_per_revision), 5
        plugins = [*ENCODERS, "metrics", "captioner", "generator"]
        number = {
            name: (revisions[0] + turn - place - 1) // turn for place, name in enumerate(plugins)
        }
        revision = {name: f"r{n}" for name, n in number.items()}
        with engine("app").begin() as connection:
            for name in ENCODERS:
                self._ids[name] = plugin_revisions.register_encoder(
                    connection, replace(_ENCODER, name=name), revision[name]
                )
            for spec in (melody_pitch_classes.MELODY, features.SPEC, *_PAIR_METRICS):
                self._ids[spec.name] = plugin_revisions.register_metric(
                    connection, spec, revision["metrics"]
                )
            self._axes = plugin_revisions.register_track_metric(
                connection, _AESTHETICS, revision["metrics"]
            )
            self._ids["captioner"] = plugin_revisions.register_captioner(
                connection, _CAPTIONER, revision["captioner"]
            )
            self._ids["generator"] = plugin_revisions.register_generator(
                connection, _GENERATOR, revision["generator"]
            )
            requested = [
                generations.RequestedClip(mode, conditioned, guidance, 0, "t1", 30.0)
                for mode, conditioned, guidance in MODES
            ]
            generations.set_requested_clips(connection, self._ids["generator"], requested)

    def _ingest(self) -> None:
        """Add new files, and remove as many, on average, once the library has its full size."""
        for collection in ("reference", "target"):
            with engine("app").begin() as connection:
                present = [
                    bytes(row[0]) for row in connection.execute(_USABLE, {"collection": collection})
                ]
                gone = [bytes(row[0]) for row in connection.execute(_GONE)]
                missing = max(0, self._sizes[collection] - len(present) - 20)
                changes = self._random.integers(0, 3, size=2)
                if collection == "target":
                    changes = np.array([1, 1]) if self._run % 10 == 9 else np.zeros(2, int)
                    missing = max(0, self._sizes[collection] - len(present))
                self._add_files(connection, collection, missing + int(changes[0]))
                if missing == 0:
                    removed = self._random.permutation(len(present))[: changes[1]]
                    self._remove_files(connection, collection, [present[i] for i in removed])
                if collection == "reference" and gone and self._run % 7 == 6:
                    returned = gone[int(self._random.integers(len(gone)))]
                    track_files.mark_existing(connection, "reference", [returned])
                    tracks.update_states(
                        connection, track_files.track_ids_of(connection, "reference", [returned])
                    )
        self._record_failures()

    def _add_files(self, connection: Connection, collection: Collection, n: int) -> None:
        names = [f"{collection} {self._new_files + i}" for i in range(n)]
        self._new_files += n
        self._write_tracks(connection, collection, names)

    def _write_tracks(
        self, connection: Connection, collection: Collection, names: Sequence[str]
    ) -> list[bytes]:
        """Store one track and its file and waveform for each name. Return the content hashes."""
        hashes = [hashlib.sha256(name.encode()).digest() for name in names]
        labels = [{"genre": f"g{h[0] % 5}", "instrument": f"i{h[1] % 4}"} for h in hashes]
        tracks.write(
            connection,
            collection,
            [
                tracks.NewTrack(h, name, label, 30.0, 44_100, 2, -20.0, _NO_SILENCE)
                for h, name, label in zip(hashes, names, labels, strict=True)
            ],
        )
        files = [
            track_files.SeenFile(_path(name), f"/music/{name}", 1_000_000, 1, 1, h, None, h, "OGG")
            for h, name in zip(hashes, names, strict=True)
        ]
        track_files.write(connection, collection, files)
        waveforms.write(connection, collection, {h: h * 25 for h in hashes})
        return hashes

    def _remove_files(
        self, connection: Connection, collection: Collection, paths: Sequence[bytes]
    ) -> None:
        ids = track_files.track_ids_of(connection, collection, paths)
        track_files.mark_gone(connection, collection, paths)
        tracks.update_states(connection, ids)

    def _record_failures(self) -> None:
        """Record that one track can be read but not embedded, because its file is truncated."""
        with engine("app").begin() as connection:
            [track_id] = connection.execute(
                text("SELECT max(track_id) FROM mirpipe.track WHERE collection = 'reference'")
            ).scalars()
            failure_ledger.record(
                connection,
                stage="score",
                subject=f"reference:{track_id}",
                track_id=track_id,
                reason="truncated",
                message="The file ends before its stated length.",
                retry=True,
                log=False,
            )

    def _embed(self) -> None:
        for name in ENCODERS:
            with engine("app").begin() as connection:
                pending = embeddings.pending(connection, self._ids[name])
                vectors = clustered_vectors(self._random, self._centres, len(pending))
                embeddings.write(
                    connection,
                    self._ids[name],
                    dict(zip(pending, vectors, strict=True)),
                    device="cpu",
                    versions={"numpy": "1"},
                    seconds=1.0,
                )

    def _score(self) -> None:
        with engine("app").begin() as connection:
            values = self._random.uniform(1, 10, size=4).tolist()
            scores = [Score(value, None) for value in values]
            pending = track_scores.pending(connection, self._axes)
            track_scores.write(
                connection,
                self._axes,
                dict.fromkeys(pending, scores),
                device="cpu",
                versions={"numpy": "1"},
                seconds=1.0,
            )

    def _analyse(self) -> None:
        melody_id, features_id = self._ids["melody"], self._ids["features"]
        measured = {
            "tempo_bpm": 120.0,
            "beat_seconds": [i / 2 for i in range(60)],
            "meter": 4,
            "key": "C major",
            "key_clarity": 0.5,
            "voiced_fraction": 0.8,
            "notes": bytes(1_000),
            "onsets_per_second": 2.0,
            "brightness_hz": 2_000.0,
            "reasons": {},
            "tempo_candidates": [60.0, 120.0, 240.0],
            "tempo_strengths": [0.1, 1.0, 0.3],
            "octave_ambiguous": False,
        }
        melody = melodies.StoredMelody(3_000, self._random.bytes(1_500), 0.8, True, None)
        with engine("app").begin() as connection:
            pending = melodies.pending(connection, melody_id)
            melodies.write(connection, melody_id, dict.fromkeys(pending, melody))
            pending = track_features.pending(connection, features_id)
            track_features.write(connection, features_id, dict.fromkeys(pending, measured))

    def _evaluate(self) -> None:
        ids = [self._ids[spec.name] for spec in _PAIR_METRICS]
        with engine("app").begin() as connection:
            pending = [p for block, _ in pair_scores.pending(ids, block=512) for p in block]
            scores: dict[int, dict[pair_scores.Pair, Score]] = {id_: {} for id_ in ids}
            for pair in pending:
                for id_, value in zip(pair.metric_ids, self._random.random(len(ids)), strict=False):
                    scores[id_][pair.pair] = Score(float(value), None)
            pair_scores.write(connection, scores)

    def _caption(self) -> None:
        captioner, features_id = self._ids["captioner"], self._ids["features"]
        with engine("app").begin() as connection:
            excerpts.choose(connection, settings().generate_seconds)
            pending = captions.pending(connection, captioner, features_id)
            chosen = excerpts.wanted(connection, pending)
            new = [
                captions.NewCaption(
                    track_id, chosen[track_id].excerpt_id, "A slow piece.", 0.0, 10.0, [], 1.0
                )
                for track_id in pending
            ]
            captions.write(
                connection, captioner, features_id, new, device="cpu", versions={"numpy": "1"}
            )

    def _generate(self) -> None:
        generator = self._ids["generator"]
        with engine("app").begin() as connection:
            pending = generations.pending(connection, generator)
            names = [f"clip {generator} {clip.caption_id} {clip.subject}" for clip in pending]
            hashes = self._write_tracks(connection, "generated", names)
            generations.write(
                connection,
                generator,
                [
                    generations.NewGeneration(clip, "A prompt.", {}, content, 1.0)
                    for clip, content in zip(pending, hashes, strict=True)
                ],
                sampling={},
                device="cpu",
                versions={"numpy": "1"},
            )


def _path(name: str) -> bytes:
    return bytes(Path("/music") / name)
