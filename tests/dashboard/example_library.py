"""Helpers that write an example library with matches to the database without the pipeline."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.files.printable_path import printable_path
from mirpipe.stages.report.publish_run import insert_summaries_and_comparisons


@dataclass(frozen=True)
class Piece:
    """A track in the example library. If `voiced` is False, the track is unpitched."""

    collection: str
    title: str
    path: Path = Path("/nowhere/missing.ogg")
    format: str = "OGG"
    labels: dict[str, str] = field(default_factory=dict)
    seconds: float = 15.0
    voiced: bool = True


@dataclass(frozen=True)
class Model:
    """An encoder whose cosines are normally distributed with mean `level` and sd `spread`."""

    name: str
    level: float
    spread: float
    checkpoint: str = "weights.onnx"
    licence_weights: str = "Apache-2.0"
    is_random: bool = False


def fill(connection: Connection, pieces: Sequence[Piece], models: Sequence[Model]) -> None:
    """Write tracks, files, melodies, and a run with up to ten matches per target and encoder."""
    ids = [track(connection, piece) for piece in pieces]
    targets = [i for i, p in zip(ids, pieces, strict=True) if p.collection == "target"]
    references = [i for i, p in zip(ids, pieces, strict=True) if p.collection == "reference"]
    _write_melodies(connection, ids, pieces)
    library = {"target ok": len(targets), "reference ok": len(references)}
    run = {"trigger": "made up", "state_digest": "1", "library": json.dumps(library)}
    run_id = _insert(connection, "run", run, "run_id")
    for index, model in enumerate(models):
        _write_matches(connection, run_id, model, targets, references, np.random.default_rng(index))
    insert_summaries_and_comparisons(connection, run_id)


def write_gate(connection: Connection) -> None:
    """Write verdicts of a gate with three rules on every run, one of each kind."""
    connection.execute(
        text(
            "INSERT INTO mirpipe.gate_verdict "
            "(gate, run_id, rule, number, kind, verdict, value, at_most, detail) "
            "SELECT 'weekly', run_id, 'rule ' || n, n, 'pending', "
            "(ARRAY['passed', 'failed', 'undecided'])[n], 2, n, '2 pending items.' "
            "FROM mirpipe.run, generate_series(1, 3) n"
        )
    )


def rate(connection: Connection, title: str, *values: float, is_random: bool = False) -> None:
    """Write CE, CU, PC and PQ for the tracks with this title, and update the summaries."""
    axes = [f"aesthetics_{axis}" for axis in ("ce", "cu", "pc", "pq")]
    for axis, value in zip(axes, values, strict=True):
        spec = {
            "axis": axis,
            "name": "aes",
            "checkpoint": "weights",
            "is_random": is_random,
            "licence_weights": "CC-BY-4.0",
        }
        connection.execute(
            text(
                "INSERT INTO mirpipe.metric (name, revision, spec) "
                "VALUES (:axis, '1', CAST(:spec AS jsonb)) ON CONFLICT DO NOTHING"
            ),
            {"axis": axis, "spec": json.dumps(spec)},
        )
        connection.execute(
            text(
                "INSERT INTO mirpipe.track_score (metric_id, track_id, value) "
                "SELECT metric_id, track_id, :value FROM mirpipe.metric m, mirpipe.track t "
                "WHERE m.name = :axis AND t.title = :title"
            ),
            {"axis": axis, "title": title, "value": value},
        )
    update_summaries(connection)


def update_summaries(connection: Connection) -> None:
    """Replace the summaries of the last run with summaries of the current results."""
    run_id = connection.execute(text("SELECT max(run_id) FROM mirpipe.run")).scalar_one()
    for table in ("summary", "generation_summary", "group_summary", "comparison"):
        connection.execute(
            text(f"DELETE FROM mirpipe.run_{table} WHERE run_id = :run_id"), {"run_id": run_id}
        )
    insert_summaries_and_comparisons(connection, run_id)


def fail(connection: Connection, **row: object) -> None:
    """Write a row to the failure ledger: stage, subject, reason, message and retry."""
    _insert(connection, "failure", row)


def _insert(
    connection: Connection, table: str, row: dict[str, object], returning: str = "1"
) -> int:
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    return connection.execute(
        text(f"INSERT INTO mirpipe.{table} ({columns}) VALUES ({values}) RETURNING {returning}"),
        row,
    ).scalar_one()


def track(connection: Connection, piece: Piece, digest: bytes = b"") -> int:
    """Write a track and its file, and return its id. `digest` is its content hash."""
    digest = digest or hashlib.sha256(repr(piece).encode("utf-8", "surrogateescape")).digest()
    row = {"collection": piece.collection, "content_sha256": digest, "title": piece.title}
    row |= {"labels": json.dumps(piece.labels), "state": "ok"}
    row |= {"seconds": piece.seconds, "sample_rate": 44100, "channels": 2, "rms_dbfs": -18.0}
    track_id = _insert(connection, "track", row, "track_id")
    file = {"collection": piece.collection, "path": os.fsencode(piece.path)}
    file |= {
        "path_text": printable_path(piece.path),
        "track_id": track_id,
        "bytes": 1,
        "mtime_ns": 1,
        "format": piece.format,
    }
    _insert(connection, "track_file", file)
    return track_id


def _write_metric(connection: Connection, name: str, **spec: str) -> int:
    row = {"name": name, "revision": "1", "spec": json.dumps(spec)}
    return _insert(connection, "metric", row, "metric_id")


def _write_melodies(connection: Connection, ids: Sequence[int], pieces: Sequence[Piece]) -> None:
    metric_id = _write_metric(connection, "melody")
    for track_id, piece in zip(ids, pieces, strict=True):
        row = {"metric_id": metric_id, "track_id": track_id, "frames": 2, "pitch_classes": b"\0"}
        row |= {"voiced_fraction": 0.8 if piece.voiced else 0.1, "voiced": piece.voiced}
        _insert(connection, "melody", row)
    _write_metric(connection, "melody_accuracy", compares="melodies")


def _write_matches(
    connection: Connection,
    run_id: int,
    model: Model,
    targets: Sequence[int],
    references: Sequence[int],
    rng: np.random.Generator,
) -> None:
    spec = {"checkpoint": model.checkpoint, "licence_weights": model.licence_weights}
    spec |= {"is_random": model.is_random}
    encoder_id = connection.execute(
        text("SELECT mirpipe.register_encoder(:name, 'r1', 4, CAST(:spec AS jsonb))"),
        {"name": model.name, "spec": json.dumps(spec)},
    ).scalar_one()
    _insert(connection, "serving_revision", {"name": model.name, "encoder_id": encoder_id})
    keys = {"run_id": run_id, "encoder_id": encoder_id}
    scale = np.sort(np.clip(rng.normal(model.level, model.spread, 1001), -1, 1)).tolist()
    counts = {"references_n": len(references), "targets_n": len(targets), "background_pairs": 1001}
    _insert(connection, "run_encoder", keys | counts | {"background_cosines": scale})
    for target_id in targets:
        cosines = np.clip(rng.normal(model.level, model.spread, len(references)), -1, 0.9999)
        background = {
            "background_mean": float(cosines.mean()),
            "background_sd": float(cosines.std()),
        }
        row = keys | background | {"target_id": target_id, "background_n": len(references)}
        _insert(connection, "run_target", row)
        order = np.argsort(-cosines)[:10]
        for rank, index in enumerate(order, start=1):
            reference_id = references[index]
            row = {"encoder_id": encoder_id, "target_id": target_id}
            row |= {"rank": rank, "counted_rank": rank}
            row |= {
                "reference_id": reference_id,
                "cosine": float(cosines[index]),
                "from_run": run_id,
            }
            _insert(connection, "served_neighbour", row)
            accuracy(connection, target_id, reference_id, float(rng.beta(2, 12)))
        change = {"run_id": run_id, "encoder_name": model.name, "target_id": target_id}
        change |= {"reference_id": references[order[0]], "cause": "first match"}
        _insert(connection, "neighbour_change", change)


def accuracy(connection: Connection, target_id: int, reference_id: int, value: float) -> None:
    """Write the melody accuracy of a pair."""
    connection.execute(
        text(
            "INSERT INTO mirpipe.pair_score "
            "(metric_id, target_id, reference_id, excerpt_id, value) "
            "SELECT m.metric_id, :target_id, r.track_id, x.excerpt_id, :value "
            "FROM mirpipe.metric m, mirpipe.track r LEFT JOIN mirpipe.excerpt x "
            "ON r.collection = 'generated' AND x.wanted AND x.track_id = :target_id "
            "WHERE m.name = 'melody_accuracy' AND r.track_id = :reference_id "
            "ON CONFLICT DO NOTHING"
        ),
        {"target_id": target_id, "reference_id": reference_id, "value": value},
    )
