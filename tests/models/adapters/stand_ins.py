"""Small checkpoints with random weights, in the format in which the real ones are published.

Everything is written as FOLDER/REPOSITORY/FILE, where MIRPIPE_STAND_INS=FOLDER looks for it.
"""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import torch

from mirpipe.specs import WeightFile
from tests.models.adapters.adapters import (
    stand_in_audiobox,
    stand_in_audiocraft,
    stand_in_muq,
    stand_in_music2latent,
    stand_in_musicgen,
    stand_in_qwen2_audio,
)


def make_all(folder: Path) -> None:
    """Writes the stand-ins of every plug-in that needs weights."""
    for write in MAKERS.values():
        write(folder)


def place(file: WeightFile, folder: Path) -> Path:
    """Where the file belongs, its folder made."""
    path = folder / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _clap(module_name: str, architecture: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        from transformers import RobertaConfig

        from mirpipe.models.adapters import laion_clap
        from mirpipe.plugins.encoders import clap

        vocabulary = byte_vocabulary() | {"he": 261}
        vocab, merges = (place(file, folder) for file in clap.TOKENIZER)
        vocab.write_text(json.dumps(vocabulary))
        merges.write_text("#version: 0.2\nh e\n")
        text = RobertaConfig(
            vocab_size=len(vocabulary),
            hidden_size=768,  # the package's projection knows no other
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
        checkpoint = import_module(f"mirpipe.plugins.encoders.{module_name}").CHECKPOINT
        saved = {"epoch": 15, "name": "random", "best_metric": np.float64(0.5), "state_dict": state}
        torch.save(saved, place(checkpoint, folder))

    return write


def byte_vocabulary() -> dict[str, int]:
    """A byte-level vocabulary without merges, specials where RoBERTa has them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [byte for byte in range(256) if byte not in printable]
    characters = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(other))]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *characters, "<mask>"]
    return {token: number for number, token in enumerate(tokens)}


MAKERS: dict[str, Callable[[Path], None]] = {
    "audiobox_aesthetics": stand_in_audiobox.write,
    "clap": _clap("clap", "HTSAT-base"),
    "clap_630k": _clap("clap_630k", "HTSAT-tiny"),
    "music2latent": stand_in_music2latent.write,
    "muq": stand_in_muq.write,
    "musicgen_melody": stand_in_musicgen.write,
    "musicgen_melody_audiocraft": stand_in_audiocraft.write,
    "qwen2_audio": stand_in_qwen2_audio.write,
}
"""By plug-in, what writes its stand-ins into a folder."""
