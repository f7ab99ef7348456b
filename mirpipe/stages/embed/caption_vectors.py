"""Vectors of captions' words, by the text tower of the encoder that text scores are of."""

from functools import partial
from typing import cast

import numpy as np

from mirpipe import registry
from mirpipe.db.engine import engine
from mirpipe.db.store import caption_embeddings
from mirpipe.errors import PluginError
from mirpipe.models import library_versions
from mirpipe.models.runnable_plugins import attempt, available
from mirpipe.protocols import TextEncoder
from mirpipe.records import Float32, Progress
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed.embed_tracks import EmbedResult

STAGE = "embed captions"
"""As the ledger calls it: what ails a text tower keeps no track from being embedded."""


def plan_captions() -> str | None:
    """The encoder that has captions to embed and can; the ledger says why one cannot."""
    with engine("app").connect() as connection:
        asked = caption_embeddings.encoder(connection)
        missing = asked and caption_embeddings.pending(connection, asked[0])
    if asked is None or not missing:
        return None
    _, name, _ = asked
    if name not in available(registry.ENCODERS, [name], stage=STAGE).usable:
        return None
    ready = attempt(registry.ENCODERS, name, _require_text, stage=STAGE)
    return None if ready is None else name


def embed_captions(*, progress: Progress | None = None) -> EmbedResult:
    """Embeds what is missing, by an encoder of this interpreter, a transaction a caption.

    A caption's words alone, one at a time, so that no vector depends on what stands beside it.
    A text tower that fails is in the ledger, and the captions that are left count as failed.
    """
    with engine("app").connect() as connection:
        asked = caption_embeddings.encoder(connection)
        missing = caption_embeddings.pending(connection, asked[0]) if asked else {}
    if asked is None or not missing:
        return EmbedResult()
    encoder_id, name, revision = asked
    spec = registry.ENCODERS.spec(name)
    if registry.revision(spec) != revision:
        raise PluginError(f"{name} is another revision than the wanted one: run `mirpipe run`")
    model = attempt(registry.ENCODERS, name, registry.ENCODERS.load, stage=STAGE)
    if model is None:
        return EmbedResult(failed=len(missing))
    tower = cast(TextEncoder, model)
    made_with = library_versions.of(registry.ENCODERS.needs(name).libraries)
    for done, (caption_id, words) in enumerate(missing.items()):
        embed = partial(_vector, tower, spec, words)
        vector = attempt(registry.ENCODERS, name, embed, stage=STAGE)
        if vector is None:
            return EmbedResult(embedded=done, failed=len(missing) - done)
        with engine("app").begin() as connection:
            caption_embeddings.write(
                connection,
                encoder_id,
                caption_id,
                vector,
                device=str(getattr(model, "device", "cpu")),
                versions=made_with,
            )
        if progress:
            progress(done + 1, len(missing))
    return EmbedResult(embedded=len(missing))


def _require_text(name: str) -> str:
    registry.ENCODERS.require_text(name)
    return name


def _vector(tower: TextEncoder, spec: EncoderSpec, words: str, _: str) -> Float32:
    rows = np.asarray(tower.embed_text([words]), dtype=np.float64)
    if rows.shape != (1, spec.dimension) or not np.isfinite(rows).all() or not rows.any():
        raise PluginError(f"{spec.name} gives words no vector of {spec.dimension} numbers")
    vector: Float32 = (rows[0] / np.linalg.norm(rows[0])).astype(np.float32)
    return vector
