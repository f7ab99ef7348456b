"""What a command is given: a manifest of track ids, and the plug-ins that the settings name."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mirpipe import registry
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def track_ids(manifest: Path | None) -> list[int] | None:
    """The ids in a JSON list; None without a manifest. Anything else is wrong usage."""
    if manifest is None:
        return None
    try:
        ids = json.loads(manifest.read_text())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{manifest} is no JSON list of track ids: {error}") from None
    if not isinstance(ids, list) or not all(type(one) is int for one in ids):
        raise typer.BadParameter(f"{manifest} is no JSON list of track ids, such as [1, 2, 3]")
    return ids


def target_ids(asked: Sequence[str] | None, manifest: Path | None) -> list[int] | None:
    """The ids of the targets that are meant, of the manifest's where one is given; None: all.

    Each of `asked` is an id, a title or a part of one; one that names several, or none, is wrong
    usage.
    """
    given = track_ids(manifest)
    if not asked:
        return given
    named = {_target(one) for one in asked}
    return sorted(named if given is None else named & set(given))


def _target(asked: str) -> int:
    from mirpipe.db.queries import vector_search

    try:
        return vector_search.one_target(asked)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None


def forwarded(
    target: Sequence[str] | None,
    manifest: Path | None,
    *,
    mode: Sequence[str] | None = None,
    seeds: int | None = None,
    limit: int | None = None,
) -> list[str]:
    """The same options for the same command in another interpreter."""
    options = [word for one in target or () for word in ("--target", one)]
    options += [word for one in mode or () for word in ("--mode", one)]
    for name, value in (("--manifest", manifest), ("--seeds", seeds), ("--limit", limit)):
        options += [] if value is None else [name, str(value)]
    return options


def make_plugins_known() -> None:
    """Tells the database which plug-ins are wanted, so that it knows what is pending."""
    from mirpipe.models.runnable_plugins import of_all_wanted
    from mirpipe.stages import analyse, caption, embed, evaluate, generate, score

    embed.plan(settings().encoders, batch_tracks=settings().batch_tracks)
    score.plan(settings().metrics, batch_tracks=settings().batch_tracks)
    analyse.register()
    evaluate.register()
    captioners = list(filter(None, [settings().captioner]))
    generators = settings().generators if captioners else []
    for name in of_all_wanted(registry.CAPTIONERS, captioners, stage="caption"):
        caption.plan(name)
    generate.want_only(generators)
    for name in of_all_wanted(registry.GENERATORS, generators, stage="generate"):
        generate.plan(name)
