"""`mirpipe encoders`: lists the encoders and their properties."""

import json
from dataclasses import asdict

from rich.table import Table

from mirpipe import registry
from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import wide_console
from mirpipe.errors import PluginError
from mirpipe.settings import settings
from mirpipe.specs import EncoderSpec

_HEADINGS = (
    *("encoder", "configured", "revision", "window", "dimension"),
    *("licence\nof weights", "checkpoint"),
)


def encoders(as_json: AsJson = False) -> None:
    """List the encoders and their properties.

    Shows whether each encoder is configured (MIRPIPE_ENCODERS), its revision, window, dimension,
    and the licence of its weights. The JSON output contains all fields of the specification.
    """
    specs = [_spec_and_revision(name) for name in registry.ENCODERS.names()]
    if as_json:
        print(json.dumps([asdict(spec) | {"revision": revision} for spec, revision in specs]))
        return
    table = Table(box=None)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for spec, revision in specs:
        table.add_row(
            spec.name,
            "yes" if spec.name in settings().encoders else "no",
            revision or "unavailable",
            f"{spec.window_samples / spec.sample_rate:.2f} s at {spec.sample_rate} Hz",
            str(spec.dimension),
            spec.licence_weights,
            spec.checkpoint,
        )
    print_table(wide_console(), table)


def _spec_and_revision(name: str) -> tuple[EncoderSpec, str | None]:
    """Return the encoder's specification and revision.

    The revision is None if the encoder cannot run. For example, its weights are missing, and the
    revision depends on their content.
    """
    try:
        spec = registry.ENCODERS.spec(name)
    except PluginError:
        return registry.ENCODERS.declared(name), None
    return spec, registry.revision(spec)
