"""`mirpipe gate`: checks the results of the latest run against the rules in a file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.cli.unwritable_file import exit_if_unwritable
from mirpipe.operations.gate.verdicts import RuleVerdict, Verdict

_EXIT_CODES: dict[Verdict, int] = {"passed": 0, "failed": 1, "undecided": 2}


def gate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file with the rules.")],
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the verdicts as JUnit XML, too, for CI servers."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the results of the latest run against your own rules.

    A rule limits the mean of a metric, its change since an earlier run, the coverage of an encoder,
    the number of findings or of pending items, or the age of the results. A change is computed on
    the targets and references that both runs share, so new tracks do not affect it. The verdicts
    are stored in the view v_gate.

    \b
        rules:
          - name: MusiCNN finds similar melodies
            check: mean
            metric: aligned_melody
            encoder: musicnn
            at_least: 0.3

    Exit codes:

    \b
        0  all rules passed
        1  a rule failed, or the file has a fault
        2  no rule failed, but a rule is undecided, such as with too few targets
        3  the JUnit file cannot be written
    """
    from mirpipe.operations.gate.judge_and_store import judge_and_store
    from mirpipe.operations.gate.junit import write_junit
    from mirpipe.operations.output_file import require_writable

    with exit_if_unwritable():
        if junit is not None:
            require_writable(junit)
        result = judge_and_store(file)
        if junit is not None:
            write_junit(junit, result.gate, result.rules)
    if as_json:
        print(json.dumps(asdict(result)))
    else:
        console = wide_console()
        print_table(console, _table(result.rules))
        run = "" if result.run_id is None else f" on run {result.run_id}"
        console.print(f"gate {result.gate}{run}: {result.verdict}", markup=False, highlight=False)
    raise typer.Exit(_EXIT_CODES[result.verdict])


def _table(verdicts: list[RuleVerdict]) -> Table:
    from mirpipe.db.queries.gate_history import limit_text

    table = Table("verdict", "rule", "limit", "measured", box=None)
    for each in verdicts:
        limit = limit_text(each.at_least, each.at_most)
        table.add_row(*map(escape_markup, (each.verdict, each.rule, limit, each.detail)))
    return table
