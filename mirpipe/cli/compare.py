"""`mirpipe compare`: says what changes if a revision of a plug-in replaces another one."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.unwritable_file import UNWRITABLE_EXIT_CODE, exit_if_unwritable
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.errors import ConfigurationError
from mirpipe.setting_types import parse_margins
from mirpipe.statistics.non_inferiority import NonInferiority

_EXIT_CODES: dict[NonInferiority, int] = {"better": 0, "not worse": 0, "worse": 1, "undecided": 2}
_NOT_COMPARABLE = UNWRITABLE_EXIT_CODE


def compare(
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="Plug-in, such as clap, or a revision: clap@3f2a."),
    ],
    new: Annotated[
        str | None,
        typer.Argument(
            metavar="NEW",
            help="Plug-in or revision, like OLD. Default: the configured revision of OLD.",
        ),
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=MARGIN",
            help="Largest acceptable decrease of a metric's mean, in its unit. Repeat for several "
            "metrics. Default: MIRPIPE_PROMOTION_MARGINS, or else margin 0 for the primary metric.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Also write one HTML page, with players for the changed targets."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what changes if a revision of a plug-in replaces another one.

    Compares two encoders by their best matches on the targets and references that both have
    embedded, and two generators or captioners by their clips of the same targets: metrics with
    intervals and tests, answers that differ, speed, memory and licences. A name without a revision
    is the active revision. No result changes. If NEW is the configured revision and OLD the active
    one, the verdict is stored, and the dashboard shows it.

    The verdict on a metric with a margin comes from the 95% interval of its mean difference:
    better, if the complete interval is above 0; not worse, if it is above minus the margin; worse,
    if it is below minus the margin; otherwise undecided.

    Examples:

    \b
        mirpipe compare clap --margin aligned_melody=0.02
        mirpipe compare clap@90ab clap@3f2a --html changes.html

    Exit codes:

    \b
        0  the new revision is better or not worse
        1  the new revision is worse in a metric with a margin
        2  undecided, such as with too few targets
        3  these revisions cannot be compared, or the HTML page cannot be
           written
    """
    from mirpipe.challengers.compare_revisions import compare_revisions
    from mirpipe.challengers.find_revision import described, find_revision
    from mirpipe.challengers.judge_challenger import store_verdict_alone
    from mirpipe.cli.comparison_tables import comparison_page, comparison_sections
    from mirpipe.cli.result_tables import print_sections
    from mirpipe.db.snapshot import open_snapshot
    from mirpipe.db.store.stored_revisions import stored_revisions
    from mirpipe.metric_settings import require_known_metrics, unknown_margin
    from mirpipe.operations.output_file import require_writable, write_output
    from mirpipe.settings import settings

    require_known_metrics()
    try:
        margins = parse_margins(margin or [])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--margin") from None
    for message in filter(None, map(unknown_margin, margins)):
        raise typer.BadParameter(message, param_hint="--margin")
    if html is not None:
        with exit_if_unwritable():
            require_writable(html)
    with open_snapshot("app") as connection:
        revisions = stored_revisions(connection)
        try:
            first = find_revision(old, revisions)
            if new is None:
                second = find_revision(first.name, revisions, configured=True)
            else:
                second = find_revision(new, revisions)
        except ConfigurationError as error:
            _cannot_compare(str(error))
        if first == second:
            _cannot_compare(
                f"OLD and NEW are both {first.label}. Name two different revisions. Those of "
                f"{first.name} are: {described(first.name, revisions)}. If you have changed its "
                "settings, run `mirpipe run` first."
            )
        if first.kind != second.kind:
            _cannot_compare(
                f"{first.label} is of the kind {first.kind}, and {second.label} of the kind "
                f"{second.kind}. Name two revisions of the same kind."
            )
        comparison = compare_revisions(
            connection,
            first,
            second,
            margins=margins or settings().margins(first.kind),
            primary_metric=settings().primary_metric(first.kind),
            same_recording_counts=settings().same_recording_counts,
        )
    store_verdict_alone(comparison)
    changed = with_distinct_titles(
        comparison.changed,
        target="target_id",
        old_title="old_id",
        new_title="new_id",
    )
    if html is not None:
        with exit_if_unwritable():
            write_output(html, comparison_page(comparison, changed).encode())
    if as_json:
        print(json.dumps(asdict(comparison)))
    else:
        print_sections(comparison_sections(comparison, changed))
    raise typer.Exit(_EXIT_CODES[comparison.verdict])


def _cannot_compare(reason: str) -> NoReturn:
    """End the command with another exit code than that of an undecided comparison."""
    typer.echo(f"mirpipe: {reason}", err=True)
    raise typer.Exit(_NOT_COMPARABLE)
