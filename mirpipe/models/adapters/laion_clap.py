"""Runs LAION-CLAP, loaded by its library, without a network and without random crops."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters.laion_clap_patches import loading_only, without_downloads
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.models.adapters.torch_precision import keep_float32
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 480_000
"""Number of samples per window: ten seconds at 48 kHz. The library crops longer input at random."""

_POSITIONS = "text_branch.embeddings.position_ids"
_WORD_EMBEDDINGS = "text_branch.embeddings.word_embeddings.weight"


class Clap:
    """The audio and text towers loaded from one checkpoint."""

    def __init__(
        self, runtime: Runtime, checkpoint: Path, *, architecture: str, tokenizer: Sequence[Path]
    ) -> None:
        """Load the model.

        `architecture` is `HTSAT-tiny` or `HTSAT-base`. `tokenizer` contains the paths of vocab.json
        and merges.txt; it can be empty if no text is embedded.
        """
        # On a CPU, batches of four windows are 5% faster than single windows. Larger batches give
        # no further speed-up.
        self._batches = BatchRunner(runtime, cpu_batch=4)
        self.device = self._batches.device
        self._tokenizer = tokenizer
        self._model = load(checkpoint, architecture=architecture, device=self.device)
        model = self._model.model
        keep_float32(model.audio_branch.spectrogram_extractor)
        keep_float32(model.audio_branch.logmel_extractor)
        # The embedding is normalised after this layer, so the layer's output must have full
        # precision.
        keep_float32(model.audio_projection)

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one unit-length row per segment: shape (len(segments), 512), float32.

        As in the library, samples are rounded to 16 bits. A segment that is shorter than a window
        is repeated as many times as it fits completely, and then padded with zeros. Raises
        PluginError if a segment is longer than ten seconds.
        """
        if any(len(segment.samples) > WINDOW_SAMPLES for segment in segments):
            raise PluginError(
                "CLAP takes windows of at most 10 s, because it crops longer input at random. "
                "Report this as a bug in mirpipe"
            )
        rows = self._batches.run(segments, self._embed)
        return np.concatenate([np.empty((0, 512), np.float32), *rows])

    def _embed(self, segments: Sequence[AudioSegment]) -> Any:
        waves = [torch.from_numpy(rounded_to_16_bits(segment.samples)) for segment in segments]
        return self._model.get_audio_embedding_from_data(waves, use_tensor=True)

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return one unit-length row per text, in the space of `embed`.

        The array has shape (len(texts), 512) and dtype float32. Raises PluginError if the tokenizer
        is missing or belongs to another model.
        """
        if self._model.tokenize is None:
            self._model.tokenize = self._load_tokenizer()
        with torch.inference_mode():
            rows = self._model.get_text_embedding(list(texts))
        return np.asarray(rows, dtype=np.float32)

    def _load_tokenizer(self) -> Any:
        if not self._tokenizer:
            raise PluginError(
                "CLAP cannot embed text: its tokenizer is missing. Run `mirpipe models pull` for "
                "this encoder"
            )
        vocabulary, merges = map(str, self._tokenizer)
        tokenizer = transformers.RobertaTokenizer(vocab=vocabulary, merges=merges)
        tokens_of_model = self._model.model.state_dict()[_WORD_EMBEDDINGS].shape[0]
        if len(tokenizer) != tokens_of_model:
            raise PluginError(
                f"{vocabulary} has {len(tokenizer)} tokens, but the model has {tokens_of_model}. "
                "Delete the file and run `mirpipe models pull` again"
            )
        return tokenizer


def rounded_to_16_bits(samples: Float32) -> Float32:
    """Return the samples rounded to 16 bits, as the library rounds input that is not a tensor."""
    integers = (np.clip(samples, -1, 1) * 32767.0).astype(np.int16)
    return (integers / 32767.0).astype(np.float32)


def load(checkpoint: Path, *, architecture: str, device: Any) -> Any:
    """Return a `laion_clap.CLAP_Module` whose own `load_ckpt` has loaded the checkpoint.

    The module is in evaluation mode and has no tokenizer. Only tensors and numbers are read from
    the file: torch raises UnpicklingError if the file contains anything else.
    """
    state = read_state(checkpoint)
    module = construct(architecture=architecture, text=text_config(state), device=device)
    with loading_only(state, type(module)):
        module.load_ckpt(str(checkpoint), verbose=False)
    return module.eval()


def construct(*, architecture: str, text: Any, device: Any) -> Any:
    """Return a `laion_clap.CLAP_Module` with random weights and without a tokenizer.

    `text` is the RobertaConfig of the text tower.
    """
    with without_downloads(transformers.RobertaModel(text)), warnings.catch_warnings():
        # Users cannot do anything about this warning.
        warnings.filterwarnings("ignore", message="torch.meshgrid")
        import laion_clap

        return laion_clap.CLAP_Module(enable_fusion=False, device=device, amodel=architecture)


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Return the checkpoint's tensors, by the names that the model uses for them."""
    numpy_scalar = np.float64(0).__reduce__()[0]  # The function that unpickles a NumPy number.
    safe = [
        *(np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType, numpy_scalar),
        (numpy_scalar, "numpy.core.multiarray.scalar"),  # The function's name in NumPy 1.
    ]
    with torch.serialization.safe_globals(safe):
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    state = {name.removeprefix("module."): value for name, value in saved["state_dict"].items()}
    state.pop(_POSITIONS, None)  # A constant that transformers has not stored since 4.31.
    return state


def text_config(state: Mapping[str, Any]) -> Any:
    """Return the RobertaConfig with the sizes of the checkpoint's text tower."""
    vocabulary_size, hidden = state[_WORD_EMBEDDINGS].shape
    layers = {name.split(".")[3] for name in state if name.startswith("text_branch.encoder.layer.")}
    return transformers.RobertaConfig(
        vocab_size=vocabulary_size,
        hidden_size=hidden,
        num_hidden_layers=len(layers),
        num_attention_heads=hidden // 64,
        intermediate_size=state["text_branch.encoder.layer.0.intermediate.dense.weight"].shape[0],
        max_position_embeddings=state["text_branch.embeddings.position_embeddings.weight"].shape[0],
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )
