"""Plug-in revisions: making them known, and saying which ones the configuration wants."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, text

from mirpipe.records import EncoderSpec, MetricSpec

_REGISTER_ENCODER = text(
    "SELECT mirpipe.register_encoder(:name, :revision, :dimension, CAST(:spec AS jsonb))"
)
_WANT_ONLY = text("UPDATE mirpipe.encoder SET wanted = false WHERE wanted AND name <> ALL(:names)")
_RETIRE_METRIC = text(
    "UPDATE mirpipe.metric SET wanted = false "
    "WHERE name = :name AND revision <> :revision AND wanted"
)
_REGISTER_METRIC = text(
    "INSERT INTO mirpipe.metric (name, revision, spec) "
    "VALUES (:name, :revision, CAST(:spec AS jsonb)) "
    "ON CONFLICT (name, revision) DO UPDATE SET wanted = true, spec = excluded.spec "
    "WHERE NOT metric.wanted OR metric.spec IS DISTINCT FROM excluded.spec"
)
_METRIC_ID = text(
    "SELECT metric_id FROM mirpipe.metric WHERE name = :name AND revision = :revision"
)


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


def register_metric(connection: Connection, spec: MetricSpec, revision: str) -> int:
    """The id of this revision, from now on the wanted one of its name."""
    parameters = {"name": spec.name, "revision": revision, "spec": json.dumps(asdict(spec))}
    connection.execute(_RETIRE_METRIC, parameters)
    connection.execute(_REGISTER_METRIC, parameters)
    return int(connection.execute(_METRIC_ID, parameters).scalar_one())
