"""Writes full-size models with random weights, in the published formats."""

import json
from pathlib import Path

import torch

from mirpipe.specs import WeightFile


def write_random_weights(name: str, folder: Path) -> dict[WeightFile, Path]:
    """Write a plug-in's weights to the folder. Return the path of each file."""
    torch.manual_seed(0)
    return {
        "clap": _clap,
        "clap_630k": _clap,
        "mert": _mert,
        "muq": _muq,
        "muq_mulan": _muq_mulan,
        "music2latent": _music2latent,
        "audiobox_aesthetics": _audiobox_aesthetics,
    }[name](name, folder)


def _clap(name: str, folder: Path) -> dict[WeightFile, Path]:
    """Write a full-size audio tower. The text tower is not measured, so it has only one layer."""
    from transformers import RobertaConfig

    from mirpipe.models.adapters import laion_clap
    from mirpipe.plugins.encoders import clap, clap_630k

    text = RobertaConfig(
        vocab_size=300, num_hidden_layers=1, max_position_embeddings=514, type_vocab_size=1
    )
    architecture = {"clap": "HTSAT-base", "clap_630k": "HTSAT-tiny"}[name]
    module = laion_clap.construct(architecture=architecture, text=text, device="cpu")
    state = {f"module.{key}": value for key, value in module.model.state_dict().items()}
    state["module.text_branch.embeddings.position_ids"] = torch.arange(514)[None]
    torch.save({"state_dict": state}, folder / "checkpoint.pt")
    checkpoint = {"clap": clap, "clap_630k": clap_630k}[name].CHECKPOINT
    return {checkpoint: folder / "checkpoint.pt"}


def _muq(_name: str, folder: Path) -> dict[WeightFile, Path]:
    from transformers import Wav2Vec2ConformerConfig

    from mirpipe.models.adapters import muq
    from mirpipe.plugins.encoders.muq import CHECKPOINT, CONFIG

    conformer = Wav2Vec2ConformerConfig(
        hidden_size=1024,
        num_hidden_layers=12,
        num_attention_heads=16,
        intermediate_size=4096,
        position_embeddings_type="rotary",
    )
    config = {
        "features": ["melspec_2048"],
        "conv_dim": 512,
        "encoder_dim": 1024,
        "encoder_depth": 12,
        "stat": {"melspec_2048_mean": 6.77, "melspec_2048_std": 18.42},
        "w2v2_config": json.loads(json.dumps(conformer.to_dict(), default=str)),
        "use_rvq_target": True,
    }
    muq.muq.MuQ(config).save_pretrained(folder)
    return {CONFIG: folder / "config.json", CHECKPOINT: folder / "model.safetensors"}


def _mert(_name: str, folder: Path) -> dict[WeightFile, Path]:
    from transformers import HubertConfig, HubertModel

    from mirpipe.plugins.encoders.mert import CHECKPOINT, CONFIG, PREPROCESSOR
    from tests.models.adapters.random_mert_weights import EXTRACTOR, published_name, small_config

    sizes = {"conv_dim": [512] * 7, "intermediate_size": 3072, "num_hidden_layers": 12}
    config = folder / "config.json"
    config.write_text(json.dumps(small_config() | sizes))
    (folder / "preprocessor_config.json").write_text(json.dumps(EXTRACTOR))
    state = HubertModel(HubertConfig.from_json_file(config)).state_dict()
    renamed = {published_name(name): weights for name, weights in state.items()}
    torch.save(renamed, folder / "pytorch_model.bin")
    return {
        CONFIG: config,
        PREPROCESSOR: folder / "preprocessor_config.json",
        CHECKPOINT: folder / "pytorch_model.bin",
    }


def _muq_mulan(_name: str, folder: Path) -> dict[WeightFile, Path]:
    """Write a full-size audio tower. The text tower is not measured, so it is small."""
    from mirpipe.models.adapters import muq_mulan as library
    from mirpipe.plugins.encoders import muq, muq_mulan
    from tests.models.adapters import random_muq_mulan_weights

    random_muq_mulan_weights.write(folder)
    paths = {file: folder / file.repository / file.filename for file in muq_mulan.NEEDS.weights}
    (folder / "muq").mkdir()
    paths[muq.CONFIG] = _muq("muq", folder / "muq")[muq.CONFIG]
    model = library.construct(
        config=paths[muq_mulan.CONFIG],
        audio_config=paths[muq.CONFIG],
        text_config=paths[muq_mulan.TEXT_CONFIG],
    )
    torch.save(model.state_dict(), paths[muq_mulan.CHECKPOINT])
    return paths


def _music2latent(_name: str, folder: Path) -> dict[WeightFile, Path]:
    from music2latent import models

    from mirpipe.plugins.encoders.music2latent import CHECKPOINT

    network = models.UNet()
    for weights in network.parameters():
        # Some weights are initialised with zeros, so the layers after them would have no effect.
        if weights.ndim > 1 and not weights.any():
            torch.nn.init.normal_(weights, std=0.02)
    torch.save({"gen_state_dict": network.state_dict()}, folder / "checkpoint.pt")
    return {CHECKPOINT: folder / "checkpoint.pt"}


def _audiobox_aesthetics(_name: str, folder: Path) -> dict[WeightFile, Path]:
    from mirpipe.models.adapters.audiobox_aesthetics import AXES, aes
    from mirpipe.plugins.track_metrics.audiobox_aesthetics import CHECKPOINT, CONFIG

    scale = {axis: {"mean": 5.5, "std": 1.5} for axis in AXES}
    aes.AesMultiOutput(target_transform=scale).save_pretrained(folder)
    return {CONFIG: folder / "config.json", CHECKPOINT: folder / "model.safetensors"}
