"""Calls each model library as its documentation shows, on windows of ten seconds.

MuQ and Music2Latent accept input of any length. With longer input, they take more time per second
of audio, so windows make them faster than in normal use. Audiobox Aesthetics receives the complete
track and splits it into the same windows itself. Texts are embedded one at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from mirpipe.records import Float32

RunLibrary = Callable[[Float32], Float32]
"""A function from windows of shape (n, samples) to one row per window, or one row for all."""


@dataclass(frozen=True)
class Library:
    """The calls of a model library with loaded weights."""

    run: RunLibrary
    embed_text: Callable[[Sequence[str]], Float32] | None = None
    """A function from texts to one row per text. None if the model embeds no text."""


def load_library(
    name: str, files: Mapping[Any, Path], text_files: Mapping[Any, Path] | None = None
) -> Library:
    """Load a plug-in's library with these weights.

    `text_files` are the weights that only texts need. Without them, texts cannot be embedded.
    """
    return _LOADERS[name](name, list(files.values()), list((text_files or {}).values()))


def _clap(name: str, files: list[Path], text_files: list[Path]) -> Library:
    import transformers

    from mirpipe.models.adapters import laion_clap
    from mirpipe.models.adapters.weight_folder import weight_folder

    architecture = {"clap": "HTSAT-base", "clap_630k": "HTSAT-tiny"}[name]
    module = laion_clap.load(files[0], architecture=architecture, device="cpu")

    def run(windows: Float32) -> Float32:
        rows: Float32 = module.get_audio_embedding_from_data(x=windows, use_tensor=False)
        return rows

    def embed_text(texts: Sequence[str]) -> Float32:
        if module.tokenize is None:
            names = ("vocab.json", "merges.txt")
            with weight_folder(dict(zip(names, text_files, strict=True))) as folder:
                module.tokenize = transformers.RobertaTokenizer.from_pretrained(folder)
        return np.concatenate([module.get_text_embedding([text]) for text in texts])

    return Library(run, embed_text)


def _muq(_name: str, files: list[Path], _text_files: list[Path]) -> Library:
    from muq import MuQ

    from mirpipe.models.adapters.hub_model_loader import load_hub_model
    from mirpipe.models.adapters.muq_patches import restore_hidden_states

    model = load_hub_model(MuQ, *files, used=("model.conformer.",))
    restore_hidden_states(model.model.conformer)

    def run(windows: Float32) -> Float32:
        with torch.no_grad():
            outputs = [
                model(torch.from_numpy(window)[None], output_hidden_states=True)
                for window in windows
            ]
        return np.concatenate([output.last_hidden_state.mean(1).numpy() for output in outputs])

    return Library(run)


def _mert(_name: str, files: list[Path], _text_files: list[Path]) -> Library:
    """Return the call of the model card, with HubertModel instead of code from the hub (ADR 44)."""
    from transformers import Wav2Vec2FeatureExtractor

    from mirpipe.models.adapters import mert

    config, preprocessor, checkpoint = files
    processor = Wav2Vec2FeatureExtractor.from_json_file(preprocessor)
    model = mert.load(config, checkpoint)

    def run(windows: Float32) -> Float32:
        inputs = processor(list(windows), sampling_rate=mert.SAMPLE_RATE, return_tensors="pt")
        with torch.no_grad():
            states = model(**inputs, output_hidden_states=True).hidden_states
        rows: Float32 = torch.stack(states).mean((0, 2)).numpy()
        return rows

    return Library(run)


def _muq_mulan(_name: str, files: list[Path], text_files: list[Path]) -> Library:
    import transformers

    from mirpipe.models.adapters import muq_mulan
    from mirpipe.models.adapters.weight_folder import weight_folder

    config, checkpoint, audio_config, text_config = files
    model = muq_mulan.load(
        checkpoint, config=config, audio_config=audio_config, text_config=text_config
    )

    def run(windows: Float32) -> Float32:
        with torch.no_grad():
            rows: Float32 = model(wavs=torch.from_numpy(windows)).numpy()
        return rows

    def embed_text(texts: Sequence[str]) -> Float32:
        tower = model.mulan.text
        if tower._tokenizer is None:
            names = ("config.json", "tokenizer.json")
            with weight_folder(dict(zip(names, [text_config, *text_files], strict=True))) as folder:
                tower._tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        with torch.no_grad():
            return np.concatenate([model(texts=[text]).numpy() for text in texts])

    return Library(run, embed_text)


def _music2latent(_name: str, files: list[Path], _text_files: list[Path]) -> Library:
    from mirpipe.models.adapters import music2latent

    model = music2latent.load(files[0], device="cpu")
    model.gen.encoder.to(memory_format=torch.contiguous_format)

    def run(windows: Float32) -> Float32:
        return np.concatenate([model.encode(window).mean(-1).numpy() for window in windows])

    return Library(run)


def _audiobox_aesthetics(_name: str, files: list[Path], _text_files: list[Path]) -> Library:
    from audiobox_aesthetics import infer

    from mirpipe.models.adapters import audiobox_aesthetics

    model = audiobox_aesthetics.load(*files)
    with mock.patch.object(infer.AesMultiOutput, "from_pretrained", return_value=model):
        predictor = infer.initialize_predictor()

    def run(windows: Float32) -> Float32:
        track = {"path": torch.from_numpy(windows.reshape(1, -1)), "sample_rate": 16_000}
        [scores] = predictor.forward([track])
        return np.array([[scores[axis] for axis in audiobox_aesthetics.AXES]], np.float32)

    return Library(run)


_LOADERS: dict[str, Callable[[str, list[Path], list[Path]], Library]] = {
    "clap": _clap,
    "clap_630k": _clap,
    "mert": _mert,
    "muq": _muq,
    "muq_mulan": _muq_mulan,
    "music2latent": _music2latent,
    "audiobox_aesthetics": _audiobox_aesthetics,
}
