"""Each model library called as its own documentation calls it, on windows of ten seconds.

MuQ and Music2Latent take any length at once; longer input costs them more a second, so windows
flatter them. Audiobox Aesthetics gets the track whole and cuts those windows itself.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from mirpipe.records import Float32

Run = Callable[[Float32], Float32]
"""Windows, shape (n, samples), in; one row a window, or one for all, out."""


def library(name: str, files: Mapping[Any, Path]) -> Run:
    """How the library of a plug-in is used, with the same weights."""
    return {
        "clap": _clap,
        "clap_630k": _clap,
        "muq": _muq,
        "music2latent": _music2latent,
        "audiobox_aesthetics": _audiobox_aesthetics,
    }[name](name, list(files.values()))


def _clap(name: str, files: list[Path]) -> Run:
    from mirpipe.models.adapters import laion_clap

    architecture = {"clap": "HTSAT-base", "clap_630k": "HTSAT-tiny"}[name]
    module = laion_clap.load(files[0], architecture=architecture, device="cpu")
    return lambda windows: module.get_audio_embedding_from_data(x=windows, use_tensor=False)


def _muq(_name: str, files: list[Path]) -> Run:
    from mirpipe.models.adapters import hub_model_loader, muq

    model = hub_model_loader.load(muq.muq.MuQ, *files, used=("model.conformer.",))
    muq.repair(model.model.conformer)

    def run(windows: Float32) -> Float32:
        with torch.no_grad():
            states = [model(torch.from_numpy(one)[None], output_hidden_states=True)
                      for one in windows]  # fmt: skip
        return np.concatenate([state.last_hidden_state.mean(1).numpy() for state in states])

    return run


def _music2latent(_name: str, files: list[Path]) -> Run:
    from mirpipe.models.adapters import music2latent

    model = music2latent.load(files[0], device="cpu")
    model.gen.encoder.to(memory_format=torch.contiguous_format)

    def run(windows: Float32) -> Float32:
        return np.concatenate([model.encode(one).mean(-1).numpy() for one in windows])

    return run


def _audiobox_aesthetics(_name: str, files: list[Path]) -> Run:
    from audiobox_aesthetics import infer

    from mirpipe.models.adapters import audiobox_aesthetics

    model = audiobox_aesthetics.load(*files)
    with mock.patch.object(infer.AesMultiOutput, "from_pretrained", return_value=model):
        predictor = infer.initialize_predictor()

    def run(windows: Float32) -> Float32:
        track = {"path": torch.from_numpy(windows.reshape(1, -1)), "sample_rate": 16_000}
        [found] = predictor.forward([track])
        return np.array([[found[axis] for axis in audiobox_aesthetics.AXES]], np.float32)

    return run
