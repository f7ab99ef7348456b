"""Arguments that several commands share: option types, id manifests, and target names."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import Address, absolute_address

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
OnlyCollections = Annotated[
    list[str] | None,
    typer.Option(
        "--collection",
        help="List only tracks of this collection. Repeat for several collections.",
    ),
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        help="Process only this target. Give its id, its title or a part of the title. Repeat for "
        "several targets. Default: all."
    ),
]
TargetManifest = Annotated[
    Path | None, typer.Option(help="Process only the targets in this JSON file: a list of ids.")
]
TrackManifest = Annotated[
    Path | None, typer.Option(help="Process only the tracks in this JSON file: a list of ids.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be created, and create nothing.")
]


def address_argument(text: str) -> Address:
    """Return the folder or file that the text names. Raises BadParameter for an invalid address."""
    try:
        return absolute_address(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def track_ids(manifest: Path | None) -> list[int] | None:
    """Return the track ids in a JSON file, or None if there is no manifest.

    Raises BadParameter if the file cannot be read or does not contain a list of integers.
    """
    if manifest is None:
        return None
    try:
        ids = json.loads(manifest.read_text())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(
            f"Cannot read a list of track ids from {manifest}: {error}. Write a JSON list such as "
            "[1, 2, 3]."
        ) from None
    if not isinstance(ids, list) or not all(type(track_id) is int for track_id in ids):
        raise typer.BadParameter(
            f"{manifest} does not contain a list of track ids. Write a JSON list such as [1, 2, 3]."
        )
    return ids


def target_ids(names: Sequence[str] | None, manifest: Path | None) -> list[int] | None:
    """Return the ids of the named targets that are in the manifest. None means all targets.

    A name is an id, a title or a part of a title. Without names, all ids in the manifest are
    returned. Raises BadParameter if a name does not match exactly one target.
    """
    manifest_ids = track_ids(manifest)
    if not names:
        return manifest_ids
    named_ids = {_target_id(name) for name in names}
    return sorted(named_ids if manifest_ids is None else named_ids & set(manifest_ids))


def repeat_options(
    target: Sequence[str] | None,
    manifest: Path | None,
    *,
    mode: Sequence[str] | None = None,
    seeds: int | None = None,
    limit: int | None = None,
) -> list[str]:
    """Return these options as arguments for the same command in another interpreter."""
    words = [word for name in target or () for word in ("--target", name)]
    words += [word for name in mode or () for word in ("--mode", name)]
    for option, value in (("--manifest", manifest), ("--seeds", seeds), ("--limit", limit)):
        words += [] if value is None else [option, str(value)]
    return words


def _target_id(name: str) -> int:
    from mirpipe.db.queries.find_tracks import target_id_by_name

    try:
        return target_id_by_name(name)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
