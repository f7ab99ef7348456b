"""Registers plug-in revisions, and marks which of them are configured (the column `wanted`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, TextClause, text

from mirpipe.db.named_locks import lock_until_transaction_ends
from mirpipe.specs import CaptionerSpec, EncoderSpec, GeneratorSpec, MetricSpec, TrackMetricSpec

_REGISTER_ENCODER = text(
    "SELECT mirpipe.register_encoder(:name, :revision, :dimension, CAST(:spec AS jsonb))"
)
_UNCONFIGURE_OTHER_ENCODERS = text(
    "UPDATE mirpipe.encoder SET wanted = false WHERE wanted AND name <> ALL(:names)"
)
_UNCONFIGURE_OTHER_REVISIONS = (
    "UPDATE mirpipe.{table} SET wanted = false "
    "WHERE name = :name AND revision <> :revision AND wanted"
)
_CONFIGURE = (
    "UPDATE mirpipe.{table} SET wanted = true, spec = CAST(:spec AS jsonb) "
    "WHERE name = :name AND revision = :revision "
    "AND (NOT wanted OR spec IS DISTINCT FROM CAST(:spec AS jsonb))"
)
# ON CONFLICT would take a new id from the sequence at every call.
_INSERT = (
    "INSERT INTO mirpipe.{table} (name, revision, spec) "
    "SELECT :name, :revision, CAST(:spec AS jsonb) WHERE NOT EXISTS "
    "(SELECT FROM mirpipe.{table} WHERE name = :name AND revision = :revision)"
)
_ID = "SELECT {table}_id FROM mirpipe.{table} WHERE name = :name AND revision = :revision"
_METRIC_STEPS = tuple(
    text(step.format(table="metric"))
    for step in (_UNCONFIGURE_OTHER_REVISIONS, _CONFIGURE, _INSERT, _ID)
)
_GENERATOR_STEPS = tuple(
    text(step.format(table="generator"))
    for step in (_UNCONFIGURE_OTHER_REVISIONS, _CONFIGURE, _INSERT, _ID)
)
_CAPTIONER_STEPS = (
    text(
        "UPDATE mirpipe.captioner SET wanted = false "
        "WHERE (name <> :name OR revision <> :revision) AND wanted"
    ),
    text(_CONFIGURE.format(table="captioner")),
    text(_INSERT.format(table="captioner")),
    text(_ID.format(table="captioner")),
)
_UNCONFIGURE_OTHER_GENERATORS = text(
    "UPDATE mirpipe.generator SET wanted = false WHERE wanted AND name <> ALL(:names)"
)
_UNCONFIGURE_OTHER_TRACK_METRICS = text(
    "UPDATE mirpipe.metric SET wanted = false "
    "WHERE wanted AND spec ->> 'axis' IS NOT NULL AND spec ->> 'name' <> ALL(:names)"
)
_UNCONFIGURE_METRICS = text(
    "UPDATE mirpipe.metric SET wanted = false WHERE wanted AND name = ANY(:names)"
)
_CONFIGURED_ENCODERS = text("""
    SELECT e.encoder_id, e.name, e.revision, e.spec ->> 'checkpoint' AS checkpoint,
        e.spec ->> 'licence_weights' AS licence_weights, e.is_random
    FROM mirpipe.encoder c
    LEFT JOIN mirpipe.serving_revision s ON s.name = c.name AND :prefer_active
    JOIN mirpipe.encoder e ON e.encoder_id = coalesce(s.encoder_id, c.encoder_id)
    WHERE c.wanted
""")


@dataclass(frozen=True)
class ConfiguredEncoder:
    """A configured encoder revision, with the data that metrics on its vectors inherit."""

    encoder_id: int
    name: str
    revision: str
    checkpoint: str
    licence_weights: str
    is_random: bool
    """Whether the weights are random, so that the vectors are not meaningful for music."""


def configured_encoders(
    connection: Connection, *, prefer_active: bool = False
) -> dict[str, ConfiguredEncoder]:
    """Return the configured encoder revisions by name.

    If `prefer_active` is true, the active revision of each of these encoders is returned instead,
    if there is one.
    """
    rows = connection.execute(_CONFIGURED_ENCODERS, {"prefer_active": prefer_active})
    return {row.name: ConfiguredEncoder(**row._mapping) for row in rows}


def register_encoder(connection: Connection, spec: EncoderSpec, revision: str) -> int:
    """Make this revision the configured one for its name, and return its id.

    If the revision is new, a partition for its vectors is created.
    """
    return int(
        connection.execute(
            _REGISTER_ENCODER,
            {
                "name": spec.name,
                "revision": revision,
                "dimension": spec.dimension,
                "spec": json.dumps(asdict(spec)),
            },
        ).scalar_one()
    )


def unconfigure_other_encoders(connection: Connection, names: Sequence[str]) -> None:
    """Mark the encoders with all other names as not configured. Their results are kept."""
    connection.execute(_UNCONFIGURE_OTHER_ENCODERS, {"names": list(names)})


def register_metric(
    connection: Connection,
    spec: MetricSpec,
    revision: str,
    *,
    encoder: ConfiguredEncoder | None = None,
) -> int:
    """Make this revision the configured one for its name, and return its id.

    `encoder` is the encoder whose vectors the metric compares. The metric inherits the encoder's
    checkpoint, its licence, and whether its weights are random.
    """
    stored = asdict(spec)
    if encoder is not None:
        stored |= {
            "encoder": encoder.name,
            "encoder_revision": encoder.revision,
            "checkpoint": encoder.checkpoint,
            "licence_weights": encoder.licence_weights,
            "is_random": encoder.is_random,
        }
    return _register_metric(connection, spec.name, revision, stored)


def unconfigure_metrics(connection: Connection, names: Sequence[str]) -> None:
    """Mark the metrics with these names as not configured. Their scores are kept."""
    connection.execute(_UNCONFIGURE_METRICS, {"names": list(names)})


def register_track_metric(
    connection: Connection, spec: TrackMetricSpec, revision: str
) -> list[int]:
    """Make this revision the configured one for every axis, and return the axis ids in order."""
    return [
        _register_metric(connection, axis, revision, asdict(spec) | {"axis": axis})
        for axis in spec.axes
    ]


def unconfigure_other_track_metrics(connection: Connection, names: Sequence[str]) -> None:
    """Mark the axes of models with all other names as not configured. Their scores are kept."""
    connection.execute(_UNCONFIGURE_OTHER_TRACK_METRICS, {"names": list(names)})


def register_captioner(connection: Connection, spec: CaptionerSpec, revision: str) -> int:
    """Make this revision the only configured captioner, and return its id."""
    parameters = {"name": spec.name, "revision": revision, "spec": json.dumps(asdict(spec))}
    return _register(connection, parameters, *_CAPTIONER_STEPS)


def register_generator(connection: Connection, spec: GeneratorSpec, revision: str) -> int:
    """Make this revision the configured one for its name, and return its id."""
    parameters = {"name": spec.name, "revision": revision, "spec": json.dumps(asdict(spec))}
    return _register(connection, parameters, *_GENERATOR_STEPS)


def unconfigure_other_generators(connection: Connection, names: Sequence[str]) -> None:
    """Mark the generators with all other names as not configured. Their clips are kept."""
    connection.execute(_UNCONFIGURE_OTHER_GENERATORS, {"names": list(names)})


def _register_metric(
    connection: Connection, name: str, revision: str, spec: Mapping[str, object]
) -> int:
    parameters = {"name": name, "revision": revision, "spec": json.dumps(spec)}
    return _register(connection, parameters, *_METRIC_STEPS)


def _register(connection: Connection, parameters: Mapping[str, str], *steps: TextClause) -> int:
    """Run the steps in one process at a time, and return the id that the last step selects."""
    # Without this lock, two processes that register the same name in parallel would both mark their
    # revision as configured. A unique index allows only one, so one of them would fail.
    lock_until_transaction_ends(connection, "register")
    *changes, select_id = steps
    for change in changes:
        connection.execute(change, parameters)
    return int(connection.execute(select_id, parameters).scalar_one())
