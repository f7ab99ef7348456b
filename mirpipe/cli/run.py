"""`mirpipe run`: runs all stages from embed to report, in order."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout

import typer

from mirpipe import logs
from mirpipe.cli.analyse import analyse
from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.configured_plugins import register_configured_plugins
from mirpipe.cli.embed import embed
from mirpipe.cli.evaluate import evaluate
from mirpipe.cli.report import report
from mirpipe.cli.retrieve import retrieve
from mirpipe.cli.score import score


def run(as_json: AsJson = False) -> None:
    """Run all stages from embed to report.

    The stages are embed, score, analyse, retrieve, evaluate and report, in this order. Each stage
    skips finished work. Run this command after `mirpipe ingest` and after `mirpipe generate`.

    Exit codes:

    \b
        0  everything is done
        1  something failed, or a model cannot run on this machine
        3  some files cannot be used; see `mirpipe failures`
    """
    register_configured_plugins()
    stages: tuple[tuple[str, Callable[[], None]], ...] = (
        ("embed", lambda: embed(as_json=as_json)),
        ("score", lambda: score(as_json=as_json)),
        ("analyse", lambda: analyse(as_json=as_json)),
        ("retrieve", lambda: retrieve(as_json=as_json)),
        ("evaluate", lambda: evaluate(as_json=as_json)),
        ("report", lambda: report(as_json=as_json)),
    )
    codes, results = [], dict[str, dict[str, object]]()
    for name, command in stages:
        printed = io.StringIO()
        with redirect_stdout(printed) if as_json else nullcontext(), logs.added_fields(stage=name):
            codes.append(_exit_code(command))
        if as_json:
            results.setdefault(name, {}).update(json.loads(printed.getvalue()))
    if as_json:
        print(json.dumps(results))
    raise typer.Exit(1 if 1 in codes else max(codes))


def _exit_code(command: Callable[[], None]) -> int:
    """Call the command and return its exit code."""
    try:
        command()
    except typer.Exit as exit_:
        return exit_.exit_code
    return 0
