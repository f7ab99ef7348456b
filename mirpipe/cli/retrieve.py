"""`mirpipe retrieve`, `report`, and `run`, which does every stage after ingest."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe import logs
from mirpipe.cli.analyse import analyse
from mirpipe.cli.embed import embed
from mirpipe.cli.evaluate import evaluate
from mirpipe.cli.given import make_plugins_known
from mirpipe.cli.progress import bar
from mirpipe.cli.score import score

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def retrieve(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget the lists and make them all anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring every target's nearest references up to date, exactly, at the cost of what changed."""
    from mirpipe.stages import retrieve as stage

    with bar("retrieve") as progress:
        results = [asdict(result) for result in stage.retrieve(rebuild=rebuild, progress=progress)]
    if as_json:
        print(json.dumps({"encoders": results}))
        return
    for result in results:
        print(", ".join(f"{key} {value}" for key, value in result.items()))


def report(
    trigger: Annotated[str, typer.Option(help="Who asked, kept with the run.")] = "command line",
    as_json: AsJson = False,
) -> None:
    """Publish the present answers as a run and show it; without a change the last run stands."""
    from mirpipe.cli.tables import print_results
    from mirpipe.stages import report as stage

    result = stage.report(trigger=trigger)
    if as_json:
        print(json.dumps(asdict(result)))
        return
    print_results()
    if result.changed:
        print(f"run {result.run_id} holds the present answers")
    else:
        print(f"nothing changed since run {result.run_id}")


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
