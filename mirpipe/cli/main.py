"""The command `mirpipe`: a tour of the pipeline in the order in which it runs."""

import logging
import sys
import time
from importlib.metadata import version

import typer
from rich.console import Console

from mirpipe import logs
from mirpipe.cli import (
    analyse,
    backup,
    caption,
    db,
    doctor,
    embed,
    encoders,
    evaluate,
    export,
    failures,
    generate,
    ingest,
    models,
    published,
    report,
    retrieve,
    run,
    score,
    search,
    status,
    up,
    verify,
)
from mirpipe.cli import settings as settings_command
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.music.numba_cache import claim_cache
from mirpipe.settings import settings

TOUR = """
Re-evaluates a growing music library on a schedule, and keeps every number in Postgres.

Start everything on your own folders, and stop it with Ctrl-C:

\b
    mirpipe up --references ~/music/library --targets ~/music/targets

Or run the stages by hand, in this order; each does only what is missing:

\b
    mirpipe db up                                   start the embedded Postgres
    mirpipe ingest ~/music/library --collection reference
    mirpipe ingest ~/music/targets --collection target
    mirpipe run                                     every stage up to the report, in order
    mirpipe generate                                make every target anew, as captions tell
    mirpipe status                                  what is there, what is pending

Ask:

\b
    mirpipe search "a title" --encoder musicnn      nearest references of any track or file
    mirpipe db psql -- -c "SELECT * FROM mirpipe.v_retrieval_summary"

Settings are environment variables named MIRPIPE_…; `mirpipe settings` lists them.

Exit codes: 0 all done; 1 something failed that was not bad input; 2 wrong usage; 3 done, and some
input was rejected (`mirpipe failures` says what and why).
"""

STAGES = {
    *("ingest", "embed", "score", "analyse", "retrieve", "evaluate", "report", "run"),
    *("caption", "generate"),
}
"""Commands that log when they begin and end."""

_log = logging.getLogger("mirpipe.command")

app = typer.Typer(
    help=TOUR,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up.up)
app.add_typer(db.app, name="db")
app.command()(ingest.ingest)
app.command()(embed.embed)
app.command()(score.score)
app.command()(analyse.analyse)
app.command()(retrieve.retrieve)
app.command()(evaluate.evaluate)
app.command()(report.report)
app.command()(run.run)
app.command()(caption.caption)
app.command()(generate.generate)
app.command()(search.search)
app.command()(status.status)
app.command()(failures.failures)
app.command()(encoders.encoders)
app.add_typer(models.app, name="models")
app.add_typer(published.app, name="published")
app.command()(export.export)
app.command()(verify.verify)
app.command()(settings_command.settings)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)


def _version(asked: bool) -> None:
    if asked:
        print(f"mirpipe {version('mirpipe')}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _asked: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    stage = context.invoked_subcommand
    try:
        logs.set_up(settings().log, run=settings().run, stage=stage)
    except ConfigurationError:  # the command says it, where it is more than --help
        logs.set_up("text", stage=stage)
    if stage in STAGES:
        began = time.monotonic()
        _log.info("begins")
        context.call_on_close(
            lambda: _log.info("ended", extra={"seconds": round(time.monotonic() - began, 3)})
        )


def main() -> None:
    """Runs the command line; an error that mirpipe raised on purpose is one sentence, exit 1."""
    claim_cache()
    try:
        app()
    except MirpipeError as error:
        if logs.is_json():
            _log.error("%s", error)
        else:
            console = Console(stderr=True)
            console.print(f"mirpipe: {error}", style="red", markup=False, highlight=False)
        sys.exit(1)
    except Exception:  # what a program reads must stay lines for programs
        if not logs.is_json():
            raise
        _log.exception("mirpipe fell over")
        sys.exit(1)


if __name__ == "__main__":
    main()
