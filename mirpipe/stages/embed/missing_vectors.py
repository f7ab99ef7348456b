"""Which vectors are missing, and which encoders can make them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from more_itertools import batched

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import embeddings, plugin_revisions
from mirpipe.models.runnable_plugins import available, forget_others
from mirpipe.specs import EncoderSpec


@dataclass(frozen=True)
class EmbedBatch:
    """Tracks that lack the same encoders, which run in the same interpreter."""

    encoders: tuple[str, ...]
    track_ids: tuple[int, ...]


def plan(encoders: Sequence[str], *, batch_tracks: int, tasks: int = 1) -> list[EmbedBatch]:
    """The missing vectors of the available encoders in batches; no others are kept up to date.

    Encoders share a batch where they can share a decoding. What would fill less than `tasks`
    batches is spread over so many, but over no more than there are encoders. A broken encoder
    stays wanted and gets one batch without tracks, for a task that fails and says why.
    """
    tried = available(registry.ENCODERS, encoders, stage="embed")
    forget_others(registry.ENCODERS, encoders, stage="embed")
    lacking: dict[int, list[str]] = {}
    for name in tried.usable:
        encoder_id = register(registry.ENCODERS.spec(name))
        with engine("app").connect() as connection:
            for track_id in embeddings.pending(connection, encoder_id):
                lacking.setdefault(track_id, []).append(name)
    batches = [EmbedBatch((name,), ()) for name in tried.broken]
    for names, ids in _groups(lacking, tried.usable).items():
        share = -(-len(ids) // min(tasks, len(names)))
        batches += [EmbedBatch(names, some) for some in batched(ids, min(batch_tracks, share))]
    with engine("app").begin() as connection:
        plugin_revisions.want_only(connection, [*tried.usable, *tried.broken])
    return batches


def register(spec: EncoderSpec) -> int:
    """The id of the encoder's present revision, made known to the database as the wanted one."""
    with engine("app").begin() as connection:
        return plugin_revisions.register_encoder(connection, spec, registry.revision(spec))


def _groups(
    lacking: Mapping[int, Sequence[str]], interpreters: Mapping[str, Path]
) -> dict[tuple[str, ...], list[int]]:
    """By encoders of one interpreter, the tracks that lack just these of it, ascending."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for track_id in sorted(lacking):
        together: dict[Path, list[str]] = {}
        for name in lacking[track_id]:
            together.setdefault(interpreters[name], []).append(name)
        for names in together.values():
            groups.setdefault(tuple(names), []).append(track_id)
    return groups
