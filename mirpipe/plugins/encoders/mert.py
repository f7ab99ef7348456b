"""MERT-v1-95M: the mean of its 13 hidden states over time and layers, 768 numbers.

The model was trained on five-second excerpts, so it runs on five-second windows. A shorter segment
is repeated until it fills the window. The feature extractor scales each window to zero mean and
unit variance. Each track is set to -14 dBFS before, so that this works for quiet tracks, too.

MERT's authors do not define a pooling method. The mean over time and layers is the one that CLaMP 3
uses (Wu et al. 2025, arXiv:2502.10362).

The authors publish the model's code beside its weights. mirpipe does not run code from the hub: for
this checkpoint, the class `HubertModel` in transformers computes the same numbers (ADR 44).
"""

from collections.abc import Sequence

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime, WeightFile

REPOSITORY, COMMIT = "m-a-p/MERT-v1-95M", "12af15fef9d0ac838c3f475bfbbf26d2060dd4f5"
CONFIG = WeightFile(
    REPOSITORY,
    COMMIT,
    "config.json",
    megabytes=1,
    sha256="ea2627c4c7825cd66f3c944b6b966331604c35928174e0100cd4a82829424e32",
)
PREPROCESSOR = WeightFile(
    REPOSITORY,
    COMMIT,
    "preprocessor_config.json",
    megabytes=1,
    sha256="cc5a5e4a5d3b1a758a5ed984b2eaa15bb0522d811d44a9eed82bfca4baa0dc8f",
)
CHECKPOINT = WeightFile(
    REPOSITORY,
    COMMIT,
    "pytorch_model.bin",
    megabytes=378,
    sha256="a2b8b747f72c06e0595aeae41ae5473f4364938c6b39b2c58be38c48e6bd3fcd",
)
NEEDS = Needs(("torch", "transformers"), weights=(CONFIG, PREPROCESSOR, CHECKPOINT))

SPEC = EncoderSpec(
    name="mert",
    version=1,
    checkpoint="MERT-v1-95M",
    checkpoint_sha256=CHECKPOINT.sha256 or "",
    sample_rate=24_000,
    window_samples=120_000,
    dimension=768,
    gain_dbfs=-14.0,
    licence_code="Apache-2.0",
    licence_weights="CC-BY-NC-4.0",
    citation="Y. Li, R. Yuan, G. Zhang, Y. Ma, X. Chen, H. Yin, C. Xiao, C. Lin, A. Ragni, "
    "E. Benetos, N. Gyenge, R. Dannenberg, R. Liu, W. Chen, G. Xia, Y. Shi, W. Huang, Z. Wang, "
    "Y. Guo, J. Fu: MERT: Acoustic music understanding model with large-scale self-supervised "
    "training. ICLR 2024. arXiv:2306.00107",
)


class Plugin:
    """The model, loaded by transformers."""

    rows_are_independent = True

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.mert import Mert

        self._model = Mert(
            runtime,
            config=runtime.files[CONFIG],
            preprocessor=runtime.files[PREPROCESSOR],
            checkpoint=runtime.files[CHECKPOINT],
        )
        self.device = self._model.device

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the mean of each segment's hidden states: shape (len(segments), 768)."""
        return self._model.embed(segments)
