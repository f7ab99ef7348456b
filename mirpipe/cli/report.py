"""`mirpipe report`: publishes the current results as a run, and prints them."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson


def report(
    trigger: Annotated[
        str, typer.Option(help="What started this report. The text is stored in the run.")
    ] = "command line",
    as_json: AsJson = False,
) -> None:
    """Publish the current results as a run.

    Prints the summary. If nothing has changed since the last run, no new run is created.
    """
    from mirpipe.cli.result_tables import print_results
    from mirpipe.stages import report as stage

    result = stage.report(trigger=trigger)
    if as_json:
        print(json.dumps(asdict(result)))
        return
    print_results()
    if result.changed:
        print(f"published run {result.run_id}")
    else:
        print(f"nothing changed since run {result.run_id}")
