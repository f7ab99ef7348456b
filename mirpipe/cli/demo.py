"""`mirpipe demo`: runs everything on a small demo library, in a home of its own."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.up import start
from mirpipe.operations.demo_library import demo_library
from mirpipe.settings import IS_CHECKOUT, PROJECT, Settings, settings

SWEPT_GENERATOR, SWEEP_GUIDANCE = "resynth_guided", (1.0, 2.0, 8.0)
"""A generator with guidance that needs no weights, and the guidance values of a sweep. The modes
add 3 and 5."""
_OTHER_DATABASES = ("database", "owner", "reader", "listener", "superuser", "airflow_database")
"""Beginnings of the settings that name a user's own databases, which the demo must not change."""


def demo(
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results. By default, a folder for the demo alone, which the "
            "command prints; MIRPIPE_HOME is not used."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop everything after the summary.")
    ] = False,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep",
            help="Also generate clips at other guidance values, for the guidance charts on the "
            "page Generation. Adds the generator resynth_guided and about two minutes.",
        ),
    ] = False,
) -> None:
    """Run everything on the demo library.

    The library has 49 references and 11 targets. The command starts what `mirpipe up` starts, and
    takes about two minutes. The demo has its own home and database, so your library stays as it is.
    """
    library = demo_library()
    for name in _OTHER_DATABASES:
        os.environ.pop(f"MIRPIPE_{name.upper()}_URL", None)
    os.environ["MIRPIPE_HOME"] = str(home.absolute() if home else _home())
    settings.cache_clear()
    if sweep:
        # The check for pending work reads the settings, so they must contain the sweep.
        generators = dict.fromkeys([*settings().generators, SWEPT_GENERATOR])
        os.environ["MIRPIPE_GENERATORS"] = ",".join(generators)
        os.environ["MIRPIPE_GUIDANCE_SWEEP"] = ",".join(map(str, SWEEP_GUIDANCE))
        settings.cache_clear()
    typer.echo(f"home: {settings().home}", err=True)
    chosen = settings().model_copy(
        update={
            "references": [library / "reference"],
            "targets": [library / "target"],
            "manifest": library / "manifest.csv",
        }
    )
    start(chosen, once=once)


def _home() -> Path:
    if IS_CHECKOUT:
        return PROJECT / "var" / "demo"
    home: Path = Settings.model_fields["home"].get_default(call_default_factory=True)
    return home.with_name("mirpipe-demo")
