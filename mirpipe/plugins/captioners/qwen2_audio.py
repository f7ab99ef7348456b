"""Qwen2-Audio-7B-Instruct: a language model that describes at most 30 seconds of audio.

Decoding is greedy, so a window always has the same caption on the same device with the same library
versions. The publisher's repetition penalty is used, but the publisher's sampling parameters are
not. The weights are published in bfloat16, and the model computes in bfloat16.
MIRPIPE_COMPUTE_DTYPE=int8 nearly halves the memory for the weights and creates another captioner
revision. The captions are not always correct, so they are shown next to measurements.
"""

from collections.abc import Sequence

from mirpipe.records import CaptionInput
from mirpipe.specs import CaptionerSpec, Needs, Runtime, WeightFile

REPOSITORY = "Qwen/Qwen2-Audio-7B-Instruct"
COMMIT = "0a095220c30b7b31434169c3086508ef3ea5bf0a"
MAX_NEW_TOKENS = 128
"""Maximum caption length, in tokens. One sentence needs fewer. A change needs a new `version`."""


def _published(filename: str, megabytes: int, sha256: str | None = None) -> WeightFile:
    return WeightFile(REPOSITORY, COMMIT, filename, megabytes, sha256)


INDEX = _published(
    "model.safetensors.index.json",
    1,
    "b6cc05302d1bd25fbab6915e3a033603c524416b984f661d213f9a1f8e3b3895",
)
SHARDS = (
    _published(
        "model-00001-of-00005.safetensors",
        3911,
        "383de5b5b06f7e7f276850a065d9164641c93009f79a377352a7c949d17c1d7a",
    ),
    _published(
        "model-00002-of-00005.safetensors",
        3981,
        "610e59a23cdf1f78d7e3b42e69f2e1a08578f29726391a1772aecac95db3c59c",
    ),
    _published(
        "model-00003-of-00005.safetensors",
        3981,
        "b9ea76e97226524a12b6acc5e896bebf01a01018fbcad20a72eb13c7950f6916",
    ),
    _published(
        "model-00004-of-00005.safetensors",
        3643,
        "d68dee591619e26e3d0af23a07e181c70134fbc3aa33e24d872224607aae2c62",
    ),
    _published(
        "model-00005-of-00005.safetensors",
        1278,
        "a447dab3e72f9debd37a0c4ae0b9179a1bad2b06357092a77c066a0405bbc7d2",
    ),
)
CONFIG = _published(
    "config.json", 1, "ab122e112e2450f10cec59216185bd519ccd7529c79d4c1c00255d43b97a037d"
)
OTHERS = (
    _published("generation_config.json", 1),
    _published("preprocessor_config.json", 1),
    _published("tokenizer.json", 8),
    _published("tokenizer_config.json", 1),
)
NEEDS = Needs(
    ("torch", "transformers"),
    weights=(CONFIG, INDEX, *SHARDS, *OTHERS),
    compute_dtypes=("bfloat16", "int8"),
)

SPEC = CaptionerSpec(
    name="qwen2_audio",
    version=1,
    checkpoint="Qwen2-Audio-7B-Instruct",
    checkpoint_sha256=INDEX.sha256 or "",
    sample_rate=16_000,
    window_samples=480_000,
    instruction="Describe this music in one English sentence that a text-to-music model could be "
    "given as its prompt. Name the genre, the mood, the instruments, how fast it feels, and the "
    "vocals or that there are none. Answer with the sentence alone.",
    licence_code="Apache-2.0",
    licence_weights="Apache-2.0",
    citation="Y. Chu, J. Xu, Q. Yang, H. Wei, X. Wei, Z. Guo, Y. Leng, Y. Lv, J. He, J. Lin, "
    "C. Zhou, J. Zhou: Qwen2-Audio technical report. 2024. arXiv:2407.10759",
    compute_dtype="bfloat16",
)


class Plugin:
    """The model, prompted with the instruction in SPEC."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.qwen2_audio import Qwen2Audio

        self._model = Qwen2Audio(runtime, name=SPEC.name, max_new_tokens=MAX_NEW_TOKENS)
        self.device = self._model.device

    def caption(self, inputs: Sequence[CaptionInput]) -> list[str]:
        """Return one caption per track. Each caption depends only on that track's segment.

        Raises RejectedInput (`no_caption`) if the model returns no text for a segment. Raises
        PluginError if a segment has the wrong sample rate or is longer than 30 seconds.
        """
        return [self._model.answer(track.segment, SPEC.instruction) for track in inputs]
