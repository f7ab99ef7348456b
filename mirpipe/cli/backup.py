"""`mirpipe backup` and `mirpipe restore`: the database and the generated audio, kept elsewhere."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import bar


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet.")],
    as_json: AsJson = False,
) -> None:
    """Write the database and the generated audio to a new folder, while the pipeline goes on.

    The folder has its name when it is whole; a killed backup leaves DIR.partial, which the next
    one clears. Your own audio, weights, passwords and Airflow's history are not in it.

    Exit status 1: clips were gone already; everything else is in the backup.
    """
    from mirpipe.operations.backup import back_up

    with bar("backup: clips") as progress:
        made = back_up(folder, progress=progress)
    if as_json:
        print(json.dumps(asdict(made), default=str))
    else:
        print(f"{made.folder}: the database and {made.clips} clips, {made.bytes / 1e6:.1f} MB")
        print(f"digest {made.digest}")
    if made.missing_clips:
        typer.echo(f"{len(made.missing_clips)} clips were gone: `mirpipe doctor`", err=True)
        raise typer.Exit(1)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `mirpipe backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop what the database holds now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring back what a backup holds: all rows at once, after its files were checked.

    Stop `mirpipe up` first. Afterwards the content's digest is compared with the backup's.
    """
    from mirpipe.operations.backup import restore as put_back

    with bar("restore: files checked") as progress:
        restored = put_back(folder, replace=replace, progress=progress)
    if as_json:
        print(json.dumps(asdict(restored)))
        return
    print(f"restored what was backed up at {restored.made_at}: rows and {restored.clips} clips")
    if restored.is_compared:
        print(f"digest {restored.digest}, as in the backup")
    else:
        print("the backup is of an older mirpipe: brought up to date, its digest not compared")
