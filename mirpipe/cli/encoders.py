"""`mirpipe encoders`: what can embed on this machine."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from mirpipe import registry
from mirpipe.cli.result_tables import wide_console
from mirpipe.errors import Unavailable
from mirpipe.settings import settings
from mirpipe.specs import EncoderSpec


def encoders(
    as_json: Annotated[bool, typer.Option("--json", help="Print every SPEC as JSON.")] = False,
) -> None:
    """List the encoders, their revision, window, dimension and licences."""
    found = [_found(name) for name in registry.ENCODERS.names()]
    if as_json:
        print(json.dumps([asdict(spec) | {"revision": revision} for spec, revision in found]))
        return
    table = Table(box=None)
    for heading in ("encoder", "on", "revision", "window", "dimension", "weights", "checkpoint"):
        table.add_column(heading, overflow="fold")
    for spec, revision in found:
        table.add_row(
            spec.name,
            "yes" if spec.name in settings().encoders else "no",
            revision or "unavailable",
            f"{spec.window_samples / spec.sample_rate:.2f} s at {spec.sample_rate} Hz",
            str(spec.dimension),
            spec.licence_weights,
            spec.checkpoint,
        )
    wide_console().print(table)


def _found(name: str) -> tuple[EncoderSpec, str | None]:
    """The SPEC and its revision; None where weights are missing that the revision depends on."""
    try:
        spec = registry.ENCODERS.spec(name)
    except Unavailable:
        return registry.ENCODERS.declared(name), None
    return spec, registry.revision(spec)
