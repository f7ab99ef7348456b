"""LAION-CLAP with its music checkpoint: audio and text in one 512-dimensional space.

The model runs on ten-second windows, because the package `laion-clap` takes a random excerpt of
anything longer. If the last window is shorter, it is repeated as many times as it fits completely
and then padded with zeros. The package does the same, and the model was trained this way.

Each track is set to a level of -20 dBFS, so that its mastering loudness has no influence. The
model's input is rounded to 16 bits, which clips peaks above full scale. At -20 dBFS, music with a
crest factor below 20 dB is not clipped.
"""

from collections.abc import Sequence

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime, WeightFile

REPOSITORY, COMMIT = "lukewys/laion_clap", "b3708341862f581175dba5c356a4ebf74a9b6651"
CHECKPOINT = WeightFile(
    REPOSITORY,
    COMMIT,
    "music_audioset_epoch_15_esc_90.14.pt",
    megabytes=2352,
    sha256="fae3e9c087f2909c28a09dc31c8dfcdacbc42ba44c70e972b58c1bd1caf6dedd",
)
ROBERTA, ROBERTA_COMMIT = "FacebookAI/roberta-base", "e2da8e2f811d1448a5b465c236feacd80ffbac7b"
TOKENIZER = (
    WeightFile(
        ROBERTA,
        ROBERTA_COMMIT,
        "vocab.json",
        megabytes=1,
        sha256="9e7f63c2d15d666b52e21d250d2e513b87c9b713cfa6987a82ed89e5e6e50655",
    ),
    WeightFile(
        ROBERTA,
        ROBERTA_COMMIT,
        "merges.txt",
        megabytes=1,
        sha256="1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    ),
)
LIBRARIES = ("laion_clap", "torch", "transformers")
NEEDS = Needs(LIBRARIES, weights=(CHECKPOINT,), text_weights=TOKENIZER)

SPEC = EncoderSpec(
    name="clap",
    version=1,
    checkpoint=CHECKPOINT.filename,
    checkpoint_sha256=CHECKPOINT.sha256 or "",
    sample_rate=48_000,
    window_samples=480_000,
    dimension=512,
    gain_dbfs=-20.0,
    licence_code="CC0-1.0",
    licence_weights="CC0-1.0",
    citation="Y. Wu, K. Chen, T. Zhang, Y. Hui, T. Berg-Kirkpatrick, S. Dubnov: Large-scale "
    "contrastive language-audio pretraining with feature fusion and keyword-to-caption "
    "augmentation. ICASSP 2023. arXiv:2211.06687",
)


class Plugin:
    """The audio and text towers. The tokenizer is loaded when the first text is embedded."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.laion_clap import Clap

        self._clap = Clap(
            runtime,
            runtime.files[CHECKPOINT],
            architecture="HTSAT-base",
            tokenizer=[runtime.files[file] for file in TOKENIZER if file in runtime.files],
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
