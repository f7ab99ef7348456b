"""LAION-CLAP, the package's default checkpoint: the one of the published report.

As `clap`, with a smaller audio tower that was trained on LAION-Audio-630K and AudioSet, speech and
sounds included.
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
    """Both towers; the text tower's tokenizer is read when it is first asked."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.laion_clap import Clap

        self._clap = Clap(
            runtime,
            runtime.files[CHECKPOINT],
            architecture="HTSAT-tiny",
            tokenizer=[runtime.files[file] for file in clap.TOKENIZER if file in runtime.files],
        )
        self.device = self._clap.device
        self.rows_stand_alone = self.device.type != "cpu"  # there, four windows are one product

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """One normalised row a segment, shape (len(segments), 512)."""
        return self._clap.embed(segments)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """One normalised row a text, in the same space."""
        return self._clap.embed_text(texts)
