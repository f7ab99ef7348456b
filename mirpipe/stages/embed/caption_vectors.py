"""Computes and stores caption vectors with the encoders that the text scores use."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import caption_embeddings
from mirpipe.errors import PluginError
from mirpipe.models import device_lease, package_versions
from mirpipe.models.runnable_plugins import check_plugins, try_plugin
from mirpipe.protocols import TextEncoder
from mirpipe.records import Float32, Progress
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed.embed_tracks import EmbedResult
from mirpipe.stages.embed.text_tower import embed_one_text

STAGE = "embed captions"
"""Stage name in the failure ledger.

It differs from `embed`, so that an encoder with a broken text tower can still embed tracks.
"""


def plan_captions(*, on_gpu: bool | None = None) -> list[str]:
    """Return the names of the encoders that can embed pending captions, in alphabetical order.

    An encoder that cannot run on this machine is left out, and the cause is recorded in the failure
    ledger. `on_gpu` limits the answer to encoders that can use a GPU, or to the others.
    """
    with engine("app").connect() as connection:
        pending = [
            name
            for name, (id_, _) in caption_embeddings.configured_encoders(connection).items()
            if caption_embeddings.pending(connection, id_)
        ]
    selected = registry.ENCODERS.select(pending, on_gpu=on_gpu)
    usable = check_plugins(registry.ENCODERS, selected, stage=STAGE).usable
    return [
        name
        for name in usable
        if try_plugin(registry.ENCODERS, name, _require_text_tower, stage=STAGE)
    ]


def embed_captions(
    name: str,
    *,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> EmbedResult:
    """Embed the captions that have no vector from this encoder, with one transaction per caption.

    If no configured text score uses the encoder, nothing is pending.

    Each caption is embedded alone, so its vector does not depend on other captions. If the text
    tower fails, the cause is recorded in the failure ledger, and all remaining captions count as
    failed. The encoder must run in the current interpreter. If it computes on a GPU, the GPU is
    reserved; if another process uses it, `on_wait` is called with its name. Raises PluginError if
    the encoder's current revision differs from the configured one.
    """
    with engine("app").connect() as connection:
        encoder = caption_embeddings.configured_encoders(connection).get(name)
        pending = caption_embeddings.pending(connection, encoder[0]) if encoder else {}
    if encoder is None or not pending:
        return EmbedResult()
    encoder_id, revision = encoder
    spec = registry.ENCODERS.spec(name)
    if registry.revision(spec) != revision:
        raise PluginError(
            f"Cannot embed captions: the revision of the encoder {name} has changed since it was "
            "registered. Run `mirpipe run`."
        )
    with device_lease.hold_gpu([registry.ENCODERS.needs(name)], on_wait=on_wait):
        with engine("app").connect() as connection:
            pending = caption_embeddings.pending(connection, encoder_id)
        return _embed_pending(spec, encoder_id, pending, progress)


def _embed_pending(
    spec: EncoderSpec, encoder_id: int, pending: Mapping[int, str], progress: Progress | None
) -> EmbedResult:
    name = spec.name
    if not pending:  # Another process has embedded the captions while this one waited.
        return EmbedResult()
    model = try_plugin(registry.ENCODERS, name, registry.ENCODERS.load, stage=STAGE)
    if model is None:
        return EmbedResult(failed=len(pending))
    text_model = cast(TextEncoder, model)
    versions = package_versions.installed_versions(registry.ENCODERS.needs(name).libraries)
    for embedded, (caption_id, words) in enumerate(pending.items()):
        embed = partial(_embed_caption, text_model, spec, words)
        vector = try_plugin(registry.ENCODERS, name, embed, stage=STAGE)
        if vector is None:
            return EmbedResult(embedded=embedded, failed=len(pending) - embedded)
        with engine("app").begin() as connection:
            caption_embeddings.write(
                connection,
                encoder_id,
                caption_id,
                vector,
                device=str(getattr(model, "device", "cpu")),
                versions=versions,
            )
        if progress:
            progress(embedded + 1, len(pending))
    return EmbedResult(embedded=len(pending))


def _require_text_tower(name: str) -> str:
    registry.ENCODERS.require_text(name)
    return name


def _embed_caption(model: TextEncoder, spec: EncoderSpec, words: str, _name: str) -> Float32:
    return embed_one_text(model, spec, words)
