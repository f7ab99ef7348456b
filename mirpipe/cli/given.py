"""What a command is given: a manifest of track ids, and the plug-ins that the settings name."""

import contextlib
import json
from pathlib import Path

import typer

from mirpipe.errors import PluginError
from mirpipe.settings import settings


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


def make_plugins_known() -> None:
    """Tells the database which encoders and metrics are wanted, so that it knows what is pending.

    An encoder that does not exist is left to the stage that runs it, which says so.
    """
    from mirpipe.stages import embed, evaluate

    with contextlib.suppress(PluginError):
        embed.plan(settings().encoders, batch_tracks=settings().batch_tracks)
    evaluate.plan_tracks(batch_tracks=settings().batch_tracks)
