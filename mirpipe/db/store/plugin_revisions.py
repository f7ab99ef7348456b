"""Plug-in revisions: making them known, and saying which ones the configuration wants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, TextClause, text

from mirpipe.specs import CaptionerSpec, EncoderSpec, GeneratorSpec, MetricSpec, TrackMetricSpec

_REGISTER_ENCODER = text(
    "SELECT mirpipe.register_encoder(:name, :revision, :dimension, CAST(:spec AS jsonb))"
)
_WANT_ONLY = text("UPDATE mirpipe.encoder SET wanted = false WHERE wanted AND name <> ALL(:names)")
_RETIRE_METRIC = text(
    "UPDATE mirpipe.metric SET wanted = false "
    "WHERE name = :name AND revision <> :revision AND wanted"
)
_REGISTER = (
    "INSERT INTO mirpipe.{table} (name, revision, spec) "
    "VALUES (:name, :revision, CAST(:spec AS jsonb)) "
    "ON CONFLICT (name, revision) DO UPDATE SET wanted = true, spec = excluded.spec "
    "WHERE NOT {table}.wanted OR {table}.spec IS DISTINCT FROM excluded.spec"
)
_TAKE_TURNS = text(
    # of two that register the same at once, one would break the rule that one revision is wanted
    "SELECT pg_advisory_xact_lock(hashtextextended('mirpipe.register', 0))"
)
_REGISTER_METRIC = text(_REGISTER.format(table="metric"))
_REGISTER_CAPTIONER = text(_REGISTER.format(table="captioner"))
_REGISTER_GENERATOR = text(_REGISTER.format(table="generator"))
_RETIRE_CAPTIONERS = text(
    "UPDATE mirpipe.captioner SET wanted = false "
    "WHERE (name <> :name OR revision <> :revision) AND wanted"
)
_RETIRE_GENERATOR = text(
    "UPDATE mirpipe.generator SET wanted = false "
    "WHERE name = :name AND revision <> :revision AND wanted"
)
_CAPTIONER_ID = text(
    "SELECT captioner_id FROM mirpipe.captioner WHERE name = :name AND revision = :revision"
)
_GENERATOR_ID = text(
    "SELECT generator_id FROM mirpipe.generator WHERE name = :name AND revision = :revision"
)
_WANT_ONLY_GENERATORS = text(
    "UPDATE mirpipe.generator SET wanted = false WHERE wanted AND name <> ALL(:names)"
)
_WANT_ONLY_TRACK_METRICS = text(
    "UPDATE mirpipe.metric SET wanted = false "
    "WHERE wanted AND spec ->> 'axis' IS NOT NULL AND spec ->> 'name' <> ALL(:names)"
)
_RETIRE = text("UPDATE mirpipe.metric SET wanted = false WHERE wanted AND name = ANY(:names)")
_WANTED_ENCODERS = text(
    "SELECT encoder_id, name, revision, spec ->> 'checkpoint' AS checkpoint, "
    "spec ->> 'licence_weights' AS licence_weights FROM mirpipe.encoder WHERE wanted"
)
_METRIC_ID = text(
    "SELECT metric_id FROM mirpipe.metric WHERE name = :name AND revision = :revision"
)


@dataclass(frozen=True)
class WantedEncoder:
    """An encoder revision that is kept up to date, and what its numbers carry along."""

    encoder_id: int
    name: str
    revision: str
    checkpoint: str
    licence_weights: str


def wanted_encoders(connection: Connection) -> dict[str, WantedEncoder]:
    """The revisions that are kept up to date, by name."""
    rows = connection.execute(_WANTED_ENCODERS)
    return {row.name: WantedEncoder(**row._mapping) for row in rows}


def register_encoder(connection: Connection, spec: EncoderSpec, revision: str) -> int:
    """The id of this revision, from now on the wanted one of its name; makes its partition."""
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


def want_only(connection: Connection, names: Sequence[str]) -> None:
    """Encoders of other names are no longer kept up to date; their results stay."""
    connection.execute(_WANT_ONLY, {"names": list(names)})


def register_metric(
    connection: Connection, spec: MetricSpec, revision: str, *, encoder: WantedEncoder | None = None
) -> int:
    """The id of this revision, from now on the wanted one of its name.

    `encoder`: whose vectors the metric compares, and whose licence its numbers have.
    """
    stored = asdict(spec)
    if encoder is not None:
        stored |= {
            "encoder": encoder.name,
            "encoder_revision": encoder.revision,
            "checkpoint": encoder.checkpoint,
            "licence_weights": encoder.licence_weights,
        }
    return _register_metric(connection, spec.name, revision, stored)


def retire_metrics(connection: Connection, names: Sequence[str]) -> None:
    """No further numbers of these names are missing; those that are there stay."""
    connection.execute(_RETIRE, {"names": list(names)})


def register_track_metric(
    connection: Connection, spec: TrackMetricSpec, revision: str
) -> list[int]:
    """The ids of this revision's axes, in order, from now on the wanted ones of their names."""
    return [
        _register_metric(connection, axis, revision, asdict(spec) | {"axis": axis})
        for axis in spec.axes
    ]


def want_only_track_metrics(connection: Connection, names: Sequence[str]) -> None:
    """Models of other names score no further tracks; their results stay."""
    connection.execute(_WANT_ONLY_TRACK_METRICS, {"names": list(names)})


def _register_metric(
    connection: Connection, name: str, revision: str, spec: Mapping[str, object]
) -> int:
    parameters = {"name": name, "revision": revision, "spec": json.dumps(spec)}
    return _register(connection, parameters, _RETIRE_METRIC, _REGISTER_METRIC, _METRIC_ID)


def register_captioner(connection: Connection, spec: CaptionerSpec, revision: str) -> int:
    """The id of this revision, from now on the one whose captions are used."""
    parameters = {"name": spec.name, "revision": revision, "spec": json.dumps(asdict(spec))}
    steps = (_RETIRE_CAPTIONERS, _REGISTER_CAPTIONER, _CAPTIONER_ID)
    return _register(connection, parameters, *steps)


def register_generator(connection: Connection, spec: GeneratorSpec, revision: str) -> int:
    """The id of this revision, from now on the wanted one of its name."""
    parameters = {"name": spec.name, "revision": revision, "spec": json.dumps(asdict(spec))}
    steps = (_RETIRE_GENERATOR, _REGISTER_GENERATOR, _GENERATOR_ID)
    return _register(connection, parameters, *steps)


def want_only_generators(connection: Connection, names: Sequence[str]) -> None:
    """Nothing more is asked of generators of other names; their clips stay."""
    connection.execute(_WANT_ONLY_GENERATORS, {"names": list(names)})


def _register(connection: Connection, parameters: Mapping[str, str], *steps: TextClause) -> int:
    """The id that the last step asks for."""
    connection.execute(_TAKE_TURNS)
    *before, ask = steps
    for step in before:
        connection.execute(step, parameters)
    return int(connection.execute(ask, parameters).scalar_one())
