"""`mirpipe run`: runs all stages from embed to report, in order."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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

_COUNTED_STAGES = {"embed", "score", "analyse"}
"""Stages whose counts are added up if there are several rounds."""


def run(as_json: AsJson = False) -> None:
    """Run all stages from embed to report.

    The stages are embed, score, analyse, retrieve, evaluate and report, in this order. Each stage
    skips finished work. If many tracks are pending, the stages run several times, each time with
    more tracks (MIRPIPE_PLAN_HOURS), so that the first results appear early. Run this command after
    `mirpipe ingest` and after `mirpipe generate`.

    Exit codes:

    \b
        0  everything is done
        1  something failed, or a model cannot run on this machine
        3  some files cannot be used; see `mirpipe failures`
    """
    from mirpipe.metric_settings import require_known_metrics
    from mirpipe.orchestration.evaluation_planning import pending_to_announce
    from mirpipe.orchestration.main_job import coverage

    require_known_metrics()
    register_configured_plugins()
    codes, results = list[int](), dict[str, dict[str, Any]]()
    pending: int | None = None
    while True:
        with _next_tracks() as (manifest, left_out):
            codes += _run_stages(manifest, results, as_json=as_json)
        pending = pending_to_announce(left_out, announced=pending)
        if pending is None:
            break
        typer.echo(f"{coverage()}; the next round continues", err=True)
    if as_json:
        print(json.dumps(results))
    raise typer.Exit(1 if 1 in codes else max(codes))


@contextmanager
def _next_tracks() -> Iterator[tuple[Path | None, int]]:
    """Yield a file with the ids of the tracks of the next round, and how many are left out.

    If no tracks are left out, there is no file, and the stages process all pending tracks.
    """
    from mirpipe.orchestration import evaluation_planning

    embed, score = evaluation_planning.plan_embed(), evaluation_planning.plan_scores()
    analyse = evaluation_planning.plan_analyse()
    if not (left_out := embed.left_out + score.left_out + analyse.left_out):
        yield None, 0
        return
    ids = {id_ for task in [*embed.tasks, *score.tasks] for id_ in task["track_ids"]}
    ids.update(id_ for task in analyse.tasks for id_ in task)
    with TemporaryDirectory(prefix="mirpipe-run-") as folder:
        manifest = Path(folder) / "tracks.json"
        manifest.write_text(json.dumps(sorted(ids)))
        yield manifest, left_out


def _run_stages(
    manifest: Path | None, results: dict[str, dict[str, Any]], *, as_json: bool
) -> list[int]:
    """Run all stages once, add their results to `results`, and return their exit codes."""
    stages: tuple[tuple[str, Callable[[], None]], ...] = (
        ("embed", lambda: embed(manifest=manifest, as_json=as_json)),
        ("score", lambda: score(manifest=manifest, as_json=as_json)),
        ("analyse", lambda: analyse(manifest=manifest, as_json=as_json)),
        ("retrieve", lambda: retrieve(as_json=as_json)),
        ("evaluate", lambda: evaluate(as_json=as_json)),
        ("report", lambda: report(as_json=as_json)),
    )
    codes = []
    for name, command in stages:
        printed = io.StringIO()
        with redirect_stdout(printed) if as_json else nullcontext(), logs.added_fields(stage=name):
            codes.append(_exit_code(command))
        if as_json:
            counts = json.loads(printed.getvalue())
            if name in _COUNTED_STAGES and name in results:
                counts = {key: results[name][key] + value for key, value in counts.items()}
            results[name] = counts
    return codes


def _exit_code(command: Callable[[], None]) -> int:
    """Call the command and return its exit code."""
    try:
        command()
    except typer.Exit as exit_:
        return exit_.exit_code
    return 0
