"""`mirpipe run`: every stage after ingest, in order."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout

import typer

from mirpipe import logs
from mirpipe.cli.analyse import analyse
from mirpipe.cli.command_arguments import AsJson, make_plugins_known
from mirpipe.cli.embed import embed
from mirpipe.cli.evaluate import evaluate
from mirpipe.cli.report import report
from mirpipe.cli.retrieve import retrieve
from mirpipe.cli.score import score


def run(as_json: AsJson = False) -> None:
    """Embed, score, analyse, retrieve, evaluate, report: all that is missing after an ingest."""
    make_plugins_known()
    parts: tuple[tuple[str, Callable[[], None]], ...] = (
        ("embed", lambda: embed(as_json=as_json)),
        ("score", lambda: score(as_json=as_json)),
        ("analyse", lambda: analyse(as_json=as_json)),
        ("retrieve", lambda: retrieve(as_json=as_json)),
        ("evaluate", lambda: evaluate(as_json=as_json)),
        ("report", lambda: report(as_json=as_json)),
    )
    codes, found = [], dict[str, dict[str, object]]()
    for name, part in parts:
        printed = io.StringIO()
        with redirect_stdout(printed) if as_json else nullcontext(), logs.about(stage=name):
            codes.append(_code(part))
        if as_json:
            found.setdefault(name, {}).update(json.loads(printed.getvalue()))
    if as_json:
        print(json.dumps(found))
    raise typer.Exit(1 if 1 in codes else max(codes))


def _code(command: Callable[[], None]) -> int:
    try:
        command()
    except typer.Exit as exit_:
        return exit_.exit_code
    return 0
