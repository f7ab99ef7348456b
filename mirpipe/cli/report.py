"""`mirpipe report`: publishes the current results as a run, and prints them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson


def report(
    trigger: Annotated[
        str, typer.Option(help="What started this report. The text is stored in the run.")
    ] = "command line",
    rankings: Annotated[
        bool,
        typer.Option(
            "--rankings",
            help="Measure the rankings now, also if MIRPIPE_RANKINGS_HOURS has not passed.",
        ),
    ] = False,
    as_json: AsJson = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Also write one HTML page with all tables, and players for the matches."),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the tables as Markdown.")
    ] = None,
    latex: Annotated[
        Path | None,
        typer.Option(
            help="Also write the tables as LaTeX, for a document with the packages booktabs and "
            "longtable. Titles in other scripts need XeLaTeX or LuaLaTeX."
        ),
    ] = None,
) -> None:
    """Publish the current results as a run.

    Prints the summary. If nothing has changed since the last run, no new run is created.
    """
    from mirpipe.cli import report_files
    from mirpipe.cli.result_tables import print_results
    from mirpipe.db import queries
    from mirpipe.operations.output_file import require_writable, write_output
    from mirpipe.stages import report as stage

    files = {
        path: content
        for path, content in (
            (html, report_files.html),
            (markdown, report_files.markdown),
            (latex, report_files.latex),
        )
        if path
    }
    for path in files:
        require_writable(path)
    result = stage.report(trigger=trigger, postpone_rankings=not rankings)
    for path, content in files.items():
        write_output(path, content().encode())
    if as_json:
        print(json.dumps(asdict(result)))
        return
    print_results()
    if result.changed:
        has_results = bool(queries.retrieval_summaries())
        print(f"published run {result.run_id}" + ("" if has_results else ", which has no results"))
    else:
        print(f"nothing changed since run {result.run_id}")
