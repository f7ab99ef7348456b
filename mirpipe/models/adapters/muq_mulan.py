"""Runs MuQ-MuLan, constructed by its library, on ten-second windows and on texts."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import muq
import numpy as np
import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters.hub_model_loader import quiet
from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.muq_mulan_patches import without_downloads
from mirpipe.models.adapters.muq_patches import restore_hidden_states
from mirpipe.models.adapters.padded_windows import repeat_to_full_windows
from mirpipe.models.adapters.tokenizer_check import check_tokenizer_size
from mirpipe.models.adapters.torch_batch_halving import BatchRunner
from mirpipe.models.adapters.torch_precision import keep_float32
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime

WINDOW_SAMPLES = 240_000
"""Number of samples per window: ten seconds at 24 kHz."""

DIMENSION = 512

MAX_TOKENS = 512
"""Longest text that XLM-RoBERTa has positions for, in tokens."""

_AUDIO_MODEL = "mulan.audio.model.model."
_USED = (
    *(f"{_AUDIO_MODEL}{part}" for part in ("conv.", "conformer.layers.", "conformer.layer_norm.")),
    *("mulan.audio.proj.", "mulan.audio.transformer.", "mulan.audio_to_latents."),
    *("mulan.text.model.embeddings.", "mulan.text.model.encoder."),
    *("mulan.text.proj.", "mulan.text.transformer.", "mulan.text_to_latents."),
)
"""Name prefixes of the weights that an embedding depends on."""


class MuqMulan:
    """The audio and text towers loaded from one checkpoint."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        config: Path,
        checkpoint: Path,
        audio_config: Path,
        text_config: Path,
        tokenizer: Path | None,
    ) -> None:
        """Load the model.

        `audio_config` and `text_config` are the config.json files of MuQ and XLM-RoBERTa.
        `tokenizer` is XLM-RoBERTa's tokenizer.json; it can be None if no text is embedded.
        """
        # On a CPU, batches of two windows are no faster than single windows.
        self._batches = BatchRunner(runtime, cpu_batch=1)
        self.device = self._batches.device
        self._text_config = text_config
        self._tokenizer = tokenizer
        configs = {"config": config, "audio_config": audio_config, "text_config": text_config}
        self._model = load(checkpoint, **configs).to(self.device)
        keep_float32(self._model.mulan.audio.model.model.preprocessor_melspec_2048.mel_stft)
        # The embedding is normalised after this layer, so the layer's output must have full
        # precision.
        keep_float32(self._model.mulan.audio_to_latents)

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one unit-length row per segment: shape (len(segments), 512), float32.

        A segment that is shorter than ten seconds is repeated. Raises PluginError if a segment is
        empty or longer than ten seconds.
        """
        rows = self._batches.run(segments, self._embed)
        return np.concatenate([np.empty((0, DIMENSION), np.float32), *rows])

    def _embed(self, segments: Sequence[AudioSegment]) -> Any:
        windows = repeat_to_full_windows(segments, WINDOW_SAMPLES)
        # The library's own call runs one window at a time, also on a GPU.
        return self._model.mulan.get_audio_latents(torch.from_numpy(windows).to(self.device))

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return one unit-length row per text, in the space of `embed`.

        The array has shape (len(texts), 512) and dtype float32. Each text is embedded alone,
        because the library's mean over the tokens includes the padding of shorter texts. Text after
        the first 512 tokens is ignored. Raises PluginError if the tokenizer is missing or belongs
        to another model.
        """
        tower = self._model.mulan.text
        if tower._tokenizer is None:
            tower._tokenizer = partial(
                self._load_tokenizer(), truncation=True, max_length=MAX_TOKENS
            )
        with torch.inference_mode():
            rows = [self._model(texts=[text]).cpu().numpy() for text in texts]
        return np.concatenate([np.empty((0, DIMENSION), np.float32), *rows])

    def _load_tokenizer(self) -> Any:
        if self._tokenizer is None:
            raise PluginError(
                "MuQ-MuLan cannot embed text: its tokenizer is missing. Run `mirpipe models pull` "
                "for this encoder"
            )
        files = {"config.json": self._text_config, "tokenizer.json": self._tokenizer}
        with weight_folder(files) as folder:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        check_tokenizer_size(tokenizer, self._model.mulan.text.model.config.vocab_size)
        return tokenizer


def load(checkpoint: Path, *, config: Path, audio_config: Path, text_config: Path) -> Any:
    """Return a patched `muq.MuQMuLan` with the weights of pytorch_model.bin, on the CPU.

    The model is in evaluation mode. Only tensors are read from the file: torch raises
    UnpicklingError if the file contains anything else. Raises PluginError if a weight that an
    embedding depends on is missing.

    The library's own loader reads a .bin file only from the hub, so the weights are read here.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    model = construct(config=config, audio_config=audio_config, text_config=text_config)
    required = {name for name in model.state_dict() if name.startswith(_USED)}
    refuse_missing_weights(checkpoint, required - set(state))
    model.load_state_dict(state, strict=False)
    restore_hidden_states(model.mulan.audio.model.model.conformer)
    return model.eval().requires_grad_(False)


def construct(*, config: Path, audio_config: Path, text_config: Path) -> Any:
    """Return a `muq.MuQMuLan` with random weights, constructed from the published config files."""
    text = transformers.XLMRobertaModel(transformers.XLMRobertaConfig.from_json_file(text_config))
    with quiet():
        audio = muq.MuQ(json.loads(audio_config.read_text()))
    with without_downloads(audio, text):
        return muq.MuQMuLan(json.loads(config.read_text()))
