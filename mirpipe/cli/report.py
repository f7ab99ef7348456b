"""`mirpipe report`: publish the present results as a run, and show it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson


def report(
    trigger: Annotated[str, typer.Option(help="Who asked, kept with the run.")] = "command line",
    as_json: AsJson = False,
) -> None:
    """Publish the present answers as a run and show it; without a change the last run stands."""
    from mirpipe.cli.result_tables import print_results
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
