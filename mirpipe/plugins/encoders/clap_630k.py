"""LAION-CLAP with the package's default checkpoint, which was used for the published tables.

This encoder works like `clap`, but its audio tower is smaller. It was trained on LAION-Audio-630K
and AudioSet, which also contain speech and other sounds.
"""

from collections.abc import Sequence
from dataclasses import replace

from mirpipe.plugins.encoders import clap
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Needs, Runtime, WeightFile

CHECKPOINT = WeightFile(
    clap.REPOSITORY,
    clap.COMMIT,
    "630k-audioset-best.pt",
    megabytes=1864,
    sha256="8053c9775516af2f4902e1e8281e356cc1bf7a85e8b761908170767b77c3f037",
)
NEEDS = Needs(clap.LIBRARIES, weights=(CHECKPOINT,), text_weights=clap.TOKENIZER)

SPEC = replace(
    clap.SPEC,
    name="clap_630k",
    checkpoint=CHECKPOINT.filename,
    checkpoint_sha256=CHECKPOINT.sha256 or "",
)


class Plugin:
    """The audio and text towers. The tokenizer is loaded when the first text is embedded."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.laion_clap import Clap

        self._clap = Clap(
            runtime,
            runtime.files[CHECKPOINT],
            architecture="HTSAT-tiny",
            tokenizer=[runtime.files[file] for file in clap.TOKENIZER if file in runtime.files],
        )
        self.device = self._clap.device
        # On a CPU, one matrix product covers four windows, and its rounding depends on all four.
        self.rows_are_independent = self.device.type != "cpu"

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one unit-length row per segment: shape (len(segments), 512), float32."""
        return self._clap.embed(segments)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return one unit-length row per text, in the same space: shape (len(texts), 512)."""
        return self._clap.embed_text(texts)
