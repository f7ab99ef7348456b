"""Writes a small LAION-CLAP model with random weights, in the published format."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import torch

from mirpipe.specs import WeightFile
from tests.models.adapters.byte_vocabulary import byte_vocabulary


def write(plugin: str, architecture: str, folder: Path) -> None:
    """Write the checkpoint and the tokenizer where MIRPIPE_STAND_INS=FOLDER looks for them."""
    from transformers import RobertaConfig

    from mirpipe.models.adapters import laion_clap
    from mirpipe.plugins.encoders import clap

    vocabulary = byte_vocabulary() | {"he": 261}
    vocab, merges = (_prepare_path(file, folder) for file in clap.TOKENIZER)
    vocab.write_text(json.dumps(vocabulary))
    merges.write_text("#version: 0.2\nh e\n")
    text = RobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=768,  # The library's projection layer has this fixed size.
        num_hidden_layers=1,
        num_attention_heads=12,
        intermediate_size=64,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    torch.manual_seed(0)
    module = laion_clap.construct(architecture=architecture, text=text, device="cpu")
    state = {f"module.{name}": value for name, value in module.model.state_dict().items()}
    state["module.text_branch.embeddings.position_ids"] = torch.arange(514)[None]
    checkpoint = import_module(f"mirpipe.plugins.encoders.{plugin}").CHECKPOINT
    saved = {"epoch": 15, "name": "random", "best_metric": np.float64(0.5), "state_dict": state}
    torch.save(saved, _prepare_path(checkpoint, folder))


def _prepare_path(file: WeightFile, folder: Path) -> Path:
    """Return the path of a weight file, and create its parent folder."""
    path = folder / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
