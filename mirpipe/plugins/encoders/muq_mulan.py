"""MuQ-MuLan: audio and text, in English or Chinese, in one 512-dimensional space.

The package `muq` runs on ten-second windows. A shorter segment is repeated until it fills the
window. Each track is set to -14 dBFS, as for the encoder `muq`, which is the audio tower.

The checkpoint contains all weights. The package would also download the two models that the towers
were trained from, although the checkpoint overwrites their weights. This encoder needs only their
configurations. The text tower's tokenizer is loaded when the first text is embedded.

The hub's page states the SHA-256 of the checkpoint. The other hashes and the commits are those that
several independent projects state.
"""

from collections.abc import Sequence

from mirpipe.plugins.encoders import muq
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime, WeightFile

REPOSITORY, COMMIT = "OpenMuQ/MuQ-MuLan-large", "2e01c796b71dca71b45251384c04cd7b237c9020"
CONFIG = WeightFile(
    REPOSITORY,
    COMMIT,
    "config.json",
    megabytes=1,
    sha256="8fefc545ef87ecd9bcde7417dd03464370c48c321f36dcff20266a752079e468",
)
CHECKPOINT = WeightFile(
    REPOSITORY,
    COMMIT,
    "pytorch_model.bin",
    megabytes=2654,
    sha256="d42ae3f7cb9b66759ee0089ddc70e2f28b130c2d8ba621457358272d32dd0444",
)
XLM_ROBERTA = "FacebookAI/xlm-roberta-base"
XLM_ROBERTA_COMMIT = "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089"
TEXT_CONFIG = WeightFile(
    XLM_ROBERTA,
    XLM_ROBERTA_COMMIT,
    "config.json",
    megabytes=1,
    sha256="d66ed8cd4f2a93b358c245e50736fa389ed4f35c0bae7aad0b32abb20c62b579",
)
TOKENIZER = WeightFile(
    XLM_ROBERTA,
    XLM_ROBERTA_COMMIT,
    "tokenizer.json",
    megabytes=9,
    sha256="a898ea75433890f6610f4e470b8ebeb0c21dce5c8dd61f892eb09eb5919d2e2c",
)
NEEDS = Needs(
    muq.NEEDS.libraries,
    weights=(CONFIG, CHECKPOINT, muq.CONFIG, TEXT_CONFIG),
    text_weights=(TOKENIZER,),
)

SPEC = EncoderSpec(
    name="muq_mulan",
    version=1,
    checkpoint="MuQ-MuLan-large",
    checkpoint_sha256=CHECKPOINT.sha256 or "",
    sample_rate=24_000,
    window_samples=240_000,
    dimension=512,
    gain_dbfs=-14.0,
    licence_code=muq.SPEC.licence_code,
    licence_weights="CC-BY-NC-4.0",
    citation=muq.SPEC.citation,
)


class Plugin:
    """The audio and text towers."""

    rows_are_independent = True

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.muq_mulan import MuqMulan

        self._model = MuqMulan(
            runtime,
            config=runtime.files[CONFIG],
            checkpoint=runtime.files[CHECKPOINT],
            audio_config=runtime.files[muq.CONFIG],
            text_config=runtime.files[TEXT_CONFIG],
            tokenizer=runtime.files.get(TOKENIZER),
        )
        self.device = self._model.device

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one unit-length row per segment: shape (len(segments), 512), float32."""
        return self._model.embed(segments)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return one unit-length row per text, in the same space: shape (len(texts), 512)."""
        return self._model.embed_text(texts)
