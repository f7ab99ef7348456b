"""`mirpipe models check`: compares models with their libraries, on clips of the demo library."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mirpipe import registry
from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import wide_console
from mirpipe.errors import PluginError, Unavailable, result_or_error

if TYPE_CHECKING:
    from mirpipe.operations.model_check.check import ModelCheck


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Plug-in names. Default: all models that can be checked on this machine."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check models with their real weights on clips of the demo library.

    Each model runs in two processes of its own, and its library runs in a third, as its
    documentation shows. The command prints the lowest cosine between their vectors of clips and of
    texts, or between their generated clips, the largest difference between their scores or the
    number of different captions, whether both processes computed equal bytes, the seconds and the
    peak memory. It also prints facts about music that learned weights should satisfy, such as that
    a drum loop is nearer to a drum loop than to a flute.

    Exit codes:

    \b
        0  all models agree with their libraries and are deterministic
        1  a model does not, or cannot run, or no model can be checked
    """
    from mirpipe.operations.demo_library import demo_library
    from mirpipe.operations.model_check.check import check as check_model

    chosen = _checkable(names)
    checks = []
    with progress_bar("check models") as progress:
        for number, name in enumerate(chosen, 1):
            checks.append(check_model(name, demo_library()))
            progress(number, len(chosen))
    if as_json:
        print(json.dumps([asdict(each) | {"passed": each.passed} for each in checks]))
    else:
        _print_checks(checks)
    raise typer.Exit(0 if all(each.passed for each in checks) else 1)


def _checkable(names: Sequence[str] | None) -> list[str]:
    """Return the names, or all models that can be checked on this machine if there are none.

    Raises PluginError if a name cannot be checked, and Unavailable if there is nothing to check.
    """
    from mirpipe.operations.model_check.check import CHECKED

    for name in names or ():
        registry.plugins_of(name)
        if name not in CHECKED:
            raise PluginError(
                f"{name} cannot be checked, because no library computes the same numbers. Models "
                f"that can be checked: {', '.join(CHECKED)}"
            )
    if names:
        return list(names)
    found = [
        name
        for name in CHECKED
        if isinstance(result_or_error(registry.plugins_of(name).interpreter, name), Path)
    ]
    if not found:
        raise Unavailable(
            "weights_missing",
            "No model can be checked, because weights or libraries are missing",
            remedy="run `mirpipe models`, which says what is missing",
        )
    return found


def _print_checks(checks: Sequence["ModelCheck"]) -> None:
    table = Table(box=None)
    for heading in ("model", "library", "two processes", "seconds", "MB", "seconds, MB of library"):
        table.add_column(heading)
    for each in checks:
        table.add_row(
            f"{each.name} (random)" if each.is_random else each.name,
            f"{_agreement(each)}, {'agrees' if each.agrees else 'DIFFERS'}",
            "equal" if each.is_deterministic else "DIFFER",
            f"{each.seconds:.1f}",
            _megabytes(each.peak_megabytes),
            f"{each.library_seconds:.1f}, {_megabytes(each.library_peak_megabytes)}",
        )
    console = wide_console()
    print_table(console, table)
    for each in checks:
        for fact in each.facts:
            console.print(
                f"{each.name}: {'yes' if fact.holds else 'no'}: {fact.statement}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )


def _megabytes(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _agreement(check: "ModelCheck") -> str:
    if check.cosine is not None:
        texts = "" if check.text_cosine is None else f", of texts {check.text_cosine:.5f}"
        return f"cosine {check.cosine:.5f}{texts}"
    if check.difference is not None:
        return f"difference {check.difference:.3f}"
    return f"{check.other_captions} different captions"
