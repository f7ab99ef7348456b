"""LAION-CLAP as its package loads and runs it, without a network and without its random crop.

The package fetches three tokenizers at import and a fourth with a RoBERTa in its constructor, all
to throw them away or overwrite them; its loader runs any code that a pickle holds, deletes a key
that newer checkpoints lack, and prints to stdout. The patches stand here and last as long as the
call that needs them.
"""

import io
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters.torch_runtime import Batches, keep_float32
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 480_000
"""Ten seconds at 48 kHz: of more, the package takes a random part."""

_POSITIONS = "text_branch.embeddings.position_ids"
_WORDS = "text_branch.embeddings.word_embeddings.weight"


class Clap:
    """The audio and the text tower of one checkpoint."""

    def __init__(
        self, runtime: Runtime, checkpoint: Path, *, architecture: str, tokenizer: Sequence[Path]
    ) -> None:
        """`architecture` is `HTSAT-tiny` or `HTSAT-base`; `tokenizer` is vocab.json, merges.txt.

        The tokenizer may be empty where no text is to be embedded.
        """
        # on a CPU four at once are 5 % faster than one, and more are not
        self._batches = Batches(runtime, cpu_batch=4)
        self.device = self._batches.device
        self._tokenizer = tokenizer
        self._model = load(checkpoint, architecture=architecture, device=self.device)
        model = self._model.model
        keep_float32(model.audio_branch.spectrogram_extractor)
        keep_float32(model.audio_branch.logmel_extractor)
        keep_float32(model.audio_projection)  # the norm is taken of what it returns

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """One normalised row a segment, shape (len(segments), 512).

        As the package does it: quantised to 16 bits, a short segment repeated as often as it fits
        whole and then padded with zeros.
        """
        if any(len(segment.samples) > WINDOW_SAMPLES for segment in segments):
            raise PluginError("CLAP takes windows of 10 s at most: it would crop them at random")
        found = self._batches.rows(segments, self._embed)
        return np.concatenate([np.empty((0, 512), np.float32), *found])

    def _embed(self, segments: Sequence[AudioSegment]) -> Any:
        waves = [torch.from_numpy(quantised(segment.samples)) for segment in segments]
        return self._model.get_audio_embedding_from_data(waves, use_tensor=True)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """One normalised row a text, shape (len(texts), 512), in the space of `embed`."""
        if self._model.tokenize is None:
            self._model.tokenize = self._load_tokenizer()
        with torch.inference_mode():
            rows = self._model.get_text_embedding(list(texts))
        return np.asarray(rows, dtype=np.float32)

    def _load_tokenizer(self) -> Any:
        if not self._tokenizer:
            raise PluginError("CLAP's tokenizer is missing: `mirpipe models pull` fetches it")
        vocabulary, merges = map(str, self._tokenizer)
        tokenizer = transformers.RobertaTokenizer(vocab=vocabulary, merges=merges)
        words = self._model.model.state_dict()[_WORDS].shape[0]
        if len(tokenizer) != words:
            raise PluginError(
                f"{vocabulary} holds {len(tokenizer)} tokens and the model knows {words}"
            )
        return tokenizer


def quantised(samples: Float32) -> Float32:
    """The samples as the package rounds them to 16 bits, where it gets no tensor."""
    rounded = (np.clip(samples, -1, 1) * 32767.0).astype(np.int16)
    return (rounded / 32767.0).astype(np.float32)


def load(checkpoint: Path, *, architecture: str, device: Any) -> Any:
    """A `laion_clap.CLAP_Module` with the checkpoint loaded by its `load_ckpt`, without tokenizer.

    The file is read as tensors and numbers alone: a pickle that wants more is refused.
    """
    state = read_state(checkpoint)
    module = construct(architecture=architecture, text=text_config(state), device=device)
    hook = sys.modules[type(module).__module__]
    read = mock.patch.object(hook, "load_state_dict", return_value=state)
    with read, redirect_stdout(io.StringIO()):
        module.load_ckpt(str(checkpoint), verbose=False)
    return module.eval()


def construct(*, architecture: str, text: Any, device: Any) -> Any:
    """A `laion_clap.CLAP_Module` with random weights and without tokenizer.

    `text` is the RobertaConfig of its text tower.
    """
    with _offline(transformers.RobertaModel(text)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.meshgrid")  # nothing a user can mend
        import laion_clap

        return laion_clap.CLAP_Module(enable_fusion=False, device=device, amodel=architecture)


def read_state(checkpoint: Path) -> dict[str, Any]:
    """The checkpoint's tensors under the names of the model's."""
    scalar = np.float64(0).__reduce__()[0]  # what a NumPy number in a pickle is made by
    harmless = [
        *(np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType, scalar),
        (scalar, "numpy.core.multiarray.scalar"),  # as NumPy 1 called it
    ]
    with torch.serialization.safe_globals(harmless):
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    state = {name.removeprefix("module."): value for name, value in saved["state_dict"].items()}
    state.pop(_POSITIONS, None)  # a constant, which transformers has not kept since 4.31
    return state


def text_config(state: Mapping[str, Any]) -> Any:
    """The shape of the checkpoint's RoBERTa."""
    words, hidden = state[_WORDS].shape
    layers = {name.split(".")[3] for name in state if name.startswith("text_branch.encoder.layer.")}
    return transformers.RobertaConfig(
        vocab_size=words,
        hidden_size=hidden,
        num_hidden_layers=len(layers),
        num_attention_heads=hidden // 64,
        intermediate_size=state["text_branch.encoder.layer.0.intermediate.dense.weight"].shape[0],
        max_position_embeddings=state["text_branch.embeddings.position_embeddings.weight"].shape[0],
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )


@contextmanager
def _offline(roberta: Any) -> Iterator[None]:
    """While it lasts, a tokenizer that is asked for is None, and the RoBERTa is `roberta`."""
    path = list(sys.path)
    tokenizers = (
        transformers.BertTokenizer,
        transformers.RobertaTokenizer,
        transformers.BartTokenizer,
    )
    with ExitStack() as patches:
        for tokenizer in tokenizers:
            none = mock.patch.object(tokenizer, "from_pretrained", return_value=None)
            patches.enter_context(none)
        given = mock.patch.object(
            transformers.RobertaModel, "from_pretrained", return_value=roberta
        )
        patches.enter_context(given)
        patches.enter_context(mock.patch.object(sys, "argv", sys.argv[:1]))
        try:
            yield
        finally:
            sys.path[:] = (
                path  # the package adds its own folder, where `evaluate` and `training` lie
            )
