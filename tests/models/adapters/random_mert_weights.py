"""Writes a small MERT model with random weights, in the published format."""

import json
from pathlib import Path

import torch

LAYERS = 2


def write(folder: Path) -> None:
    """Write the weights and configs where MIRPIPE_STAND_INS=FOLDER looks for them."""
    from transformers import HubertConfig, HubertModel

    from mirpipe.plugins.encoders.mert import CHECKPOINT, CONFIG, PREPROCESSOR, REPOSITORY

    (folder / REPOSITORY).mkdir(parents=True, exist_ok=True)
    config, preprocessor, checkpoint = (
        folder / REPOSITORY / file.filename for file in (CONFIG, PREPROCESSOR, CHECKPOINT)
    )
    config.write_text(json.dumps(small_config()))
    preprocessor.write_text(json.dumps(EXTRACTOR))
    torch.manual_seed(0)
    state = HubertModel(HubertConfig.from_json_file(config)).state_dict()
    torch.save({published_name(name): weights for name, weights in state.items()}, checkpoint)


EXTRACTOR = {
    "do_normalize": True,
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "padding_side": "right",
    "padding_value": 0,
    "return_attention_mask": True,
    "sampling_rate": 24_000,
}
"""The published settings of the feature extractor."""


def small_config() -> dict[str, object]:
    """Return the published configuration with fewer layers and smaller inner layers."""
    return {
        "architectures": ["MERTModel"],
        "attention_relax": -1.0,
        "auto_map": {
            "AutoConfig": "configuration_MERT.MERTConfig",
            "AutoModel": "modeling_MERT.MERTModel",
        },
        "conv_bias": False,
        "conv_dim": [32] * 7,
        "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
        "conv_stride": [5, 2, 2, 2, 2, 2, 2],
        "deepnorm": False,
        "do_stable_layer_norm": False,
        "feat_extract_norm": "group",
        "feat_proj_layer_norm": True,
        "feature_extractor_cqt": False,
        "hidden_size": 768,
        "intermediate_size": 64,
        "model_type": "mert_model",
        "num_attention_heads": 12,
        "num_conv_pos_embedding_groups": 16,
        "num_conv_pos_embeddings": 128,
        "num_hidden_layers": LAYERS,
        "sample_rate": 24_000,
    }


def published_name(name: str) -> str:
    """Return the name of a weight in the checkpoint, which an older version of torch wrote."""
    return name.replace("parametrizations.weight.original0", "weight_g").replace(
        "parametrizations.weight.original1", "weight_v"
    )
