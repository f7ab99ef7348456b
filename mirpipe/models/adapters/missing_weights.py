"""Refuses checkpoints that do not contain all weights of their model."""

from collections.abc import Collection

from mirpipe.errors import PluginError


def refuse_missing_weights(checkpoint: object, missing: Collection[str]) -> None:
    """Raise PluginError if any weight is missing.

    `checkpoint` is the path or the name of the checkpoint, and `missing` contains the names of the
    missing weights. Without this check, the libraries would leave missing weights random without an
    error.
    """
    if missing:
        first, others = min(missing), len(missing) - 1
        names = f"{first} and {others} more" if others else first
        raise PluginError(
            f"{checkpoint} is incomplete, because these weights are missing: {names}. Delete its "
            "files and run `mirpipe models pull` again"
        )
