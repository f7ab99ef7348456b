"""Finds missing vectors, and plans which encoders embed which tracks together.

A track is pending if its own vector or that of its excerpt is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from more_itertools import batched

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import embeddings, excerpt_embeddings, plugin_revisions
from mirpipe.models.runnable_plugins import PluginAvailability, check_configured_plugins
from mirpipe.specs import EncoderSpec


@dataclass(frozen=True)
class EmbedBatch:
    """Tracks that are pending for the same encoders. These encoders run in the same interpreter."""

    encoders: tuple[str, ...]
    track_ids: tuple[int, ...]


def plan(
    encoders: Sequence[str], *, batch_tracks: int, tasks: int = 1, on_gpu: bool | None = None
) -> list[EmbedBatch]:
    """Return the pending tracks of the configured encoders in batches.

    The encoders are registered, see `configure`. A batch has at most `batch_tracks` tracks.
    Encoders that can share the decoded audio share a batch. If there are few tracks, they are
    divided into up to `tasks` batches, but not into more batches than there are encoders. A broken
    encoder stays configured, and has one batch without tracks, so that its task fails and reports
    the cause. `on_gpu` limits the plan to the encoders that can use a GPU, or to the others; all
    encoders stay configured.
    """
    availability, encoder_ids = configure(encoders, on_gpu=on_gpu)
    pending_encoders: dict[int, list[str]] = {}
    for name, encoder_id in encoder_ids.items():
        with engine("app").connect() as connection:
            of_tracks = embeddings.pending(connection, encoder_id)
            of_excerpts = excerpt_embeddings.pending(connection, encoder_id)
        for track_id in {*of_tracks, *of_excerpts}:
            pending_encoders.setdefault(track_id, []).append(name)
    batches = [EmbedBatch((name,), ()) for name in availability.broken]
    for names, track_ids in _group_by_encoders(pending_encoders, availability.usable).items():
        share = -(-len(track_ids) // min(tasks, len(names)))
        batches += [
            EmbedBatch(names, batch) for batch in batched(track_ids, min(batch_tracks, share))
        ]
    return batches


def configure(
    encoders: Sequence[str], *, on_gpu: bool | None = None
) -> tuple[PluginAvailability, dict[str, int]]:
    """Register the configured encoders. Return which can run, and the ids of these by name.

    `encoders` are the names of the configured encoders; all others are marked as not configured.
    `on_gpu` limits the result to the encoders that can use a GPU, or to the others.
    """
    availability = check_configured_plugins(
        registry.ENCODERS, encoders, stage="embed", on_gpu=on_gpu
    )
    ids = {name: register(registry.ENCODERS.spec(name)) for name in availability.usable}
    with engine("app").begin() as connection:
        plugin_revisions.unconfigure_other_encoders(
            connection, [name for name in encoders if name not in availability.unavailable]
        )
    return availability, ids


def register(spec: EncoderSpec) -> int:
    """Register the encoder's current revision as the configured one, and return its id."""
    with engine("app").begin() as connection:
        return plugin_revisions.register_encoder(connection, spec, registry.revision(spec))


def _group_by_encoders(
    pending_encoders: Mapping[int, Sequence[str]], interpreters: Mapping[str, Path]
) -> dict[tuple[str, ...], list[int]]:
    """Return the pending track ids of each group of encoders, in ascending order.

    The encoders in a group run in the same interpreter and need the same tracks.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for track_id in sorted(pending_encoders):
        by_interpreter: dict[Path, list[str]] = {}
        for name in pending_encoders[track_id]:
            by_interpreter.setdefault(interpreters[name], []).append(name)
        for names in by_interpreter.values():
            groups.setdefault(tuple(names), []).append(track_id)
    return groups
