"""`mirpipe backup` and `mirpipe restore`: save and restore the database and the clips."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson, address_argument
from mirpipe.cli.progress_bar import progress_bar


def backup(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="A new or empty folder, or s3://BUCKET/FOLDER without objects."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Back up the database and the clips.

    The pipeline can keep running during a backup. The folder DIR appears when the backup is
    complete. A stopped backup leaves the folder DIR.partial, which the next backup deletes. In a
    bucket, a backup is complete when it contains manifest.json. A backup does not contain your own
    audio, the weights, passwords, or Airflow's history.

    Exit codes:

    \b
        0  the backup is complete
        1  audio files of some clips are missing; everything else is in the backup
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.operations.backup import back_up

    with progress_bar("backup: clips") as progress:
        result = back_up(address_argument(folder), progress=progress)
    if as_json:
        print(json.dumps(asdict(result) | {"folder": str(result.folder)}))
    else:
        size = f"{result.bytes / 1e6:.1f} MB"
        print(f"{result.folder}: the database and {counted(result.clips, 'clip')}, {size}")
        print(f"digest {result.digest or 'not computed, because the schema is older'}")
    if result.missing_clips:
        typer.echo(
            f"mirpipe: The audio of {counted(len(result.missing_clips), 'clip')} is missing, so it "
            "is not in the backup. Run `mirpipe doctor` to see which ones.",
            err=True,
        )
        raise typer.Exit(1)


def restore(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="A folder that `mirpipe backup` created, also in an S3 bucket."
        ),
    ],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace the current content of the database."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore the database and the clips from a backup.

    Stop `mirpipe up` before you restore. All files in the backup are checked before anything is
    written, and the rows replace the old ones in one transaction. At the end, the hash of the
    restored content is compared with the backup's hash.
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.operations.backup import restore as restore_backup

    with progress_bar("restore: files checked") as progress:
        result = restore_backup(address_argument(folder), replace=replace, progress=progress)
    if as_json:
        print(json.dumps(asdict(result)))
        return
    clips = counted(result.clips, "clip")
    print(f"restored the backup from {result.made_at}: the database and {clips}")
    if result.is_compared:
        print(f"digest {result.digest}, the same as in the backup")
    else:
        print("the digests were not compared, because another version of mirpipe made this backup")
