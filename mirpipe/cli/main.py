"""The command `mirpipe`: combines all commands, in the order in which a user needs them."""

import logging
import sys
import time
from importlib.metadata import version

import typer
from rich.console import Console

from mirpipe import logs
from mirpipe.cli import (
    analyse,
    api,
    backup,
    caption,
    compare,
    dashboard,
    db,
    demo,
    doctor,
    duplicates,
    embed,
    encoders,
    evaluate,
    export,
    failures,
    gate,
    generate,
    ingest,
    listening,
    models,
    playlist,
    promote,
    prune,
    published,
    quality,
    report,
    retrieve,
    run,
    score,
    search,
    status,
    tags,
    up,
    vectors,
    verify,
)
from mirpipe.cli import settings as settings_command
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.music.numba_cache import claim_cache
from mirpipe.settings import settings

HELP = """
Evaluate a growing music library on a schedule.

mirpipe searches a library of reference tracks for the tracks that are most similar to your target
tracks. It generates new audio for the targets, and measures how similar the matches and the new
audio are to the targets. All results are stored in Postgres and shown on a dashboard.

Try it with the demo library (two minutes), or start everything with your own folders. Ctrl-C stops
everything:

\b
    mirpipe demo
    mirpipe up --references ~/music/library --targets ~/music/targets

Or run the stages yourself, in this order. Each stage skips finished work:

\b
    mirpipe db up       start the embedded Postgres and create the tables
    mirpipe ingest ~/music/library --collection reference
    mirpipe ingest ~/music/targets --collection target
    mirpipe run         find matches, measure and compare them
    mirpipe generate    caption every target, and generate new audio
    mirpipe run         measure the new audio, too

Look at the results:

\b
    mirpipe status      show the library, pending work and failures
    mirpipe quality     list unusual audio, such as damage or silence
    mirpipe duplicates  list tracks with the same audio or the same recording
    mirpipe failures    list files that cannot be used, with the reasons
    mirpipe gate FILE   check the results against your own rules
    mirpipe compare     say what changes with a new revision of a model
    mirpipe listening   ask people which answers are better
    mirpipe tags        show tags whose encoding was guessed, and correct it
    mirpipe search "part of a title"
    mirpipe db psql -c "TABLE v_retrieval_summary"

If something does not work, run `mirpipe doctor`. `mirpipe COMMAND --help` explains a command.
Settings are environment variables named MIRPIPE_…; `mirpipe settings` lists them. All data is
stored in the folder MIRPIPE_HOME. The default is your data folder, such as ~/.local/share/mirpipe.

Exit codes:

\b
    0  everything is done
    1  something failed for a reason other than bad input
    2  wrong usage
    3  done, but some input was rejected; see `mirpipe failures`
"""

STAGES = {
    *("ingest", "embed", "score", "analyse", "retrieve", "evaluate", "report", "run"),
    *("caption", "generate", "prune"),
}
"""Commands that log when they start and end."""

_log = logging.getLogger("mirpipe.command")

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(dashboard.dashboard)
app.command()(api.api)
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
app.command()(quality.quality)
app.command()(duplicates.duplicates)
app.command()(failures.failures)
app.command()(tags.tags)
app.command()(encoders.encoders)
app.add_typer(models.app, name="models")
app.add_typer(published.app, name="published")
app.command()(playlist.playlist)
app.command()(export.export)
app.add_typer(vectors.app, name="vectors")
app.command()(gate.gate)
app.command(short_help="Say what changes with a new revision of a plug-in.")(compare.compare)
app.command()(promote.promote)
app.add_typer(listening.app, name="listening")
app.command()(verify.verify)
app.command()(prune.prune)
app.command()(settings_command.settings)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        print(f"mirpipe {version('mirpipe')}")
        raise typer.Exit


@app.callback()
def _configure(
    context: typer.Context,
    _version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Configure the logs, and log the start and the end of a stage."""
    stage = context.invoked_subcommand
    try:
        logs.configure_logging(settings().log, run=settings().run, stage=stage)
    except ConfigurationError:
        # An invalid setting must not prevent --help. The command itself reports the error.
        logs.configure_logging("text", stage=stage)
    if stage in STAGES:
        started = time.monotonic()
        _log.info("started")
        context.call_on_close(
            lambda: _log.info("ended", extra={"seconds": round(time.monotonic() - started, 3)})
        )


def main() -> None:
    """Run the command line.

    An error that mirpipe raised on purpose is printed as one message, with exit code 1. Any other
    error is printed with its traceback.
    """
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
    except Exception:
        # In JSON logs, every line must be a JSON object, so the traceback becomes a field.
        if not logs.is_json():
            raise
        _log.exception("mirpipe stopped because of an internal error")
        sys.exit(1)


if __name__ == "__main__":
    main()
