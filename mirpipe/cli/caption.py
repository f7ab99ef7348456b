"""`mirpipe caption`: writes a caption for each target."""

import json
from dataclasses import asdict

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.command_arguments import (
    AsJson,
    DryRun,
    Target,
    TargetManifest,
    repeat_options,
    target_ids,
)
from mirpipe.cli.missing_audio import print_missing_audio
from mirpipe.cli.progress_bar import print_waiting, progress_bar
from mirpipe.cli.stage_counts import exit_code, print_counts
from mirpipe.cli.unavailable_plugins import print_unavailable_plugins
from mirpipe.models import interpreters
from mirpipe.settings import settings


def caption(
    target: Target = None,
    manifest: TargetManifest = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write a caption for each target.

    MIRPIPE_CAPTIONER names the model that describes the targets. Targets that have not been
    measured are measured first. If a caption contradicts a measurement, the column contradictions
    contains the statement. You can stop the command and run it again: finished captions are kept.

    Exit codes:

    \b
        0  all targets have a caption
        1  a caption failed, or the captioner cannot run on this machine
        3  some targets cannot be used; see `mirpipe failures`
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.models.runnable_plugins import check_plugins
    from mirpipe.stages import analyse as analyse_stage
    from mirpipe.stages import caption as stage

    selected_ids = target_ids(target, manifest)
    configured = list(filter(None, [settings().captioner]))
    usable = check_plugins(registry.CAPTIONERS, configured, stage="caption").usable
    if dry_run:
        pending = {
            *analyse_stage.plan("target"),
            *(target_id for name in usable for target_id in stage.plan(name)),
        }
        n = len(pending if selected_ids is None else pending & set(selected_ids))
        print(json.dumps({"captions": n}) if as_json else f"would caption {counted(n, 'target')}")
        return
    to_measure = analyse_stage.plan("target") if selected_ids is None else selected_ids
    with progress_bar("analyse") as progress:
        measured = analyse_stage.analyse(to_measure, progress=progress)
    counts = {"captioned": 0, "rejected": measured.rejected, "failed": measured.failed}
    for name, python in usable.items():
        if python == interpreters.CURRENT_PYTHON:
            with progress_bar(f"caption {name}") as progress:
                result = stage.caption(name, selected_ids, progress=progress, on_wait=print_waiting)
            added_counts = asdict(result)
        else:
            arguments = ["caption", *repeat_options(target, manifest)]
            added_counts = other_interpreter.run_for_counts(python, arguments)
        counts = {key: counts[key] + added_counts[key] for key in counts}
    print_counts(counts, as_json=as_json)
    print_missing_audio("target")
    print_unavailable_plugins()
    raise typer.Exit(exit_code(counts, is_incomplete=len(usable) < len(configured)))
