"""`mirpipe models check`: compares models with their libraries, on clips of the demo library."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe import logs, registry
from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import wide_console
from mirpipe.errors import MirpipeError, PluginError, Unavailable, result_or_error

if TYPE_CHECKING:
    from mirpipe.operations.model_check.check import ModelCheck

_log = logging.getLogger("mirpipe.models")


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Plug-in names. Default: all models that can be checked on this machine."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check models with their real weights on demo clips.

    Each model runs in two processes of its own, and its library runs in a third, as its
    documentation shows. The command prints the lowest cosine between their vectors of clips and of
    texts, or between their generated clips, the largest difference between their scores or the
    number of different captions, whether both processes computed equal bytes, the seconds and the
    peak memory. It also prints facts about music that learned weights should satisfy, such as that
    a drum loop is nearer to a drum loop than to a flute. If a model cannot run, the command says
    why and checks the others.

    Exit codes:

    \b
        0  all models agree with their libraries and are deterministic
        1  a model does not, or cannot run, or no model can be checked
        2  a name is unknown, or no library computes the same; nothing is checked
    """
    from mirpipe.operations.demo_library import demo_library
    from mirpipe.operations.model_check.check import check as check_model

    chosen = _checkable(names)
    results: list[dict[str, object]] = []
    for number, name in enumerate(chosen, 1):
        _tell(f"checking {name} ({number} of {len(chosen)})")
        try:
            checked = check_model(name, demo_library())
        except MirpipeError as error:
            _tell(f"{name} could not be checked: {error}", is_error=True)
            results.append({"name": name, "passed": False, "error": str(error)})
            continue
        results.append(asdict(checked) | {"passed": checked.passed, "error": None})
        if not as_json:
            _print_check(checked)
    if as_json:
        print(json.dumps(results))
    raise typer.Exit(0 if all(result["passed"] for result in results) else 1)


def _checkable(names: Sequence[str] | None) -> list[str]:
    """Return the names, or all models that can be checked on this machine if there are none.

    Raises BadParameter if a name cannot be checked, and Unavailable if there is nothing to check.
    """
    from mirpipe.operations.model_check.check import CHECKED

    for name in names or ():
        try:
            registry.plugins_of(name)
        except PluginError as error:
            raise typer.BadParameter(str(error)) from None
        if name not in CHECKED:
            raise typer.BadParameter(
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


def _tell(message: str, *, is_error: bool = False) -> None:
    """Print the message on stderr, or log it in JSON logs."""
    if logs.is_json():
        _log.log(logging.ERROR if is_error else logging.INFO, "%s", message)
    else:
        Console(stderr=True).print(
            message,
            style="red" if is_error else None,
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _print_check(check: "ModelCheck") -> None:
    table = Table(box=None)
    for heading in ("model", "library", "two processes", "seconds", "MB", "seconds, MB of library"):
        table.add_column(heading)
    table.add_row(
        f"{check.name} (random)" if check.is_random else check.name,
        f"{_agreement(check)}, {'agrees' if check.agrees else 'DIFFERS'}",
        "equal" if check.is_deterministic else "DIFFER",
        f"{check.seconds:.1f}",
        _megabytes(check.peak_megabytes),
        f"{check.library_seconds:.1f}, {_megabytes(check.library_peak_megabytes)}",
    )
    console = wide_console()
    print_table(console, table)
    for fact in check.facts:
        console.print(
            f"{check.name}: {'yes' if fact.holds else 'no'}: {fact.statement}",
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
