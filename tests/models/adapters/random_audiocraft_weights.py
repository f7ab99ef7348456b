"""Writes a small MusicGen-Melody model for audiocraft, with T5, Demucs and random weights."""

import inspect
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from tests.models.adapters.random_musicgen_weights import t5_tokenizer

CODES = 256


def write(folder: Path) -> None:
    """Write every file in NEEDS where MIRPIPE_STAND_INS=FOLDER looks for it."""
    from mirpipe.plugins.generators.musicgen_melody_audiocraft import (
        CODEC,
        LANGUAGE_MODEL,
        SEPARATOR,
    )

    def prepare_path(file: Any) -> Path:
        path = folder / file.repository / file.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    torch.manual_seed(0)
    _write_t5(folder / "google-t5" / "t5-base")
    _write_separator(prepare_path(SEPARATOR))
    _write_model(folder, prepare_path(LANGUAGE_MODEL), prepare_path(CODEC))


def _write_t5(repository: Path) -> None:
    from mirpipe.models.adapters.audiocraft import errors_only, transformers

    repository.mkdir(parents=True, exist_ok=True)
    tokenizer = t5_tokenizer()
    tokenizer.save_pretrained(repository)
    # The published repository does not have this file.
    (repository / "tokenizer_config.json").unlink()
    config = transformers.T5Config(
        vocab_size=len(tokenizer) + 4, d_model=768, d_kv=8, d_ff=32, num_layers=1, num_heads=2
    )
    with errors_only():
        transformers.T5ForConditionalGeneration(config).save_pretrained(repository)


def _write_separator(path: Path) -> None:
    from demucs.htdemucs import HTDemucs
    from safetensors.torch import save_file

    segment = Fraction(1)
    sizes: dict[str, Any] = {
        "sources": ["drums", "bass", "other", "vocals"],
        "channels": 4,
        "depth": 4,
        "t_layers": 1,
        "t_heads": 2,
        "bottom_channels": 0,
        "samplerate": 44_100,
        "dconv_comp": 2,
    }
    separator = HTDemucs(**sizes, segment=segment)
    with torch.no_grad():
        for name, weights in separator.named_parameters():
            if name.endswith("bias"):
                weights.zero_()  # Otherwise, the biases would be much larger than the input.
    fraction = {
        "_type": "fraction",
        "numerator": segment.numerator,
        "denominator": segment.denominator,
    }
    metadata = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": "[]",
        "kwargs": json.dumps(sizes | {"segment": fraction}),
    }
    save_file(separator.state_dict(), path, metadata=metadata)


def _write_model(folder: Path, language_model: Path, codec: Path) -> None:
    from audiocraft.models import builders
    from omegaconf import OmegaConf

    from mirpipe.models.adapters import audiocraft as library
    from mirpipe.models.adapters.weight_folder import weight_folder
    from mirpipe.plugins.generators.musicgen_melody_audiocraft import SEPARATOR, TEXT_ENCODER

    config = OmegaConf.create(inspect.cleandoc(CONFIG))
    files = {file.filename: folder / file.repository / file.filename for file in TEXT_ENCODER}
    with weight_folder(files) as linked:
        tokenizer, encoder = library.load_text_encoder(linked)
    separator = library.load_separator(folder / SEPARATOR.repository / SEPARATOR.filename)
    with library.loading_only({}, tokenizer=tokenizer, text_encoder=encoder, separator=separator):
        model = builders.get_lm_model(config)
        compression = builders.get_compression_model(config)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.normal_(std=0.4)
        for name, weights in compression.named_parameters():
            if name.endswith("bias"):
                weights.zero_()  # Otherwise, the biases would dominate the sound.
        for layer in compression.quantizer.vq.layers:
            layer._codebook.embed.normal_(std=3)
    text = OmegaConf.to_yaml(config)
    for path, part in ((language_model, model), (codec, compression)):
        saved = {"best_state": part.state_dict(), "xp.cfg": text}
        torch.save(saved | {"version": "1.3.0", "exported": True}, path)


CONFIG = f"""
    device: cpu
    dtype: float32
    sample_rate: 32000
    channels: 1
    dataset:
      segment_duration: 30
    lm_model: transformer_lm
    codebooks_pattern:
      modeling: delay
      delay: {{delays: [0, 1, 2, 3], flatten_first: 0, empty_initial: 0}}
    transformer_lm:
      dim: 32
      num_heads: 4
      num_layers: 2
      hidden_scale: 4
      n_q: 4
      card: {CODES}
      dropout: 0.0
      emb_lr: null
      activation: gelu
      norm_first: true
      bias_ff: false
      bias_attn: false
      bias_proj: false
      past_context: null
      causal: true
      custom: false
      memory_efficient: true
      attention_as_float32: false
      layer_scale: null
      positional_embedding: sin
      xpos: false
      checkpointing: none
      weight_init: gaussian
      depthwise_init: current
      zero_bias_init: true
      norm: layer_norm
      cross_attention: false
      qk_layer_norm: false
      qk_layer_norm_cross: false
      attention_dropout: null
      kv_repeat: 1
      two_step_cfg: false
    classifier_free_guidance: {{training_dropout: 0.2, inference_coef: 3.0}}
    attribute_dropout:
      args: {{active_on_eval: false}}
      text: {{}}
      wav: {{self_wav: 0.5}}
    fuser:
      cross_attention_pos_emb: false
      cross_attention_pos_emb_scale: 1
      sum: []
      prepend: [self_wav, description]
      cross: []
      input_interpolate: []
    conditioners:
      self_wav:
        model: chroma_stem
        chroma_stem:
          sample_rate: ${{sample_rate}}
          n_chroma: 12
          radix2_exp: 14
          argmax: true
          match_len_on_eval: false
          eval_wavs: null
          n_eval_wavs: 100
          cache_path: null
      description:
        model: t5
        t5: {{name: t5-base, finetune: false, word_dropout: 0.2, normalize_text: false}}
    compression_model: encodec
    encodec:
      autoencoder: seanet
      quantizer: rvq
      sample_rate: ${{sample_rate}}
      channels: ${{channels}}
      causal: false
      renormalize: false
    seanet:
      dimension: 16
      channels: ${{channels}}
      causal: ${{encodec.causal}}
      n_filters: 4
      n_residual_layers: 1
      ratios: [8, 5, 4, 4]
      activation: ELU
      activation_params: {{alpha: 1.0}}
      norm: weight_norm
      norm_params: {{}}
      kernel_size: 7
      residual_kernel_size: 3
      last_kernel_size: 7
      dilation_base: 2
      pad_mode: constant
      true_skip: true
      compress: 2
      lstm: 2
      disable_norm_outer_blocks: 0
      decoder: {{trim_right_ratio: 1.0, final_activation: null, final_activation_params: null}}
      encoder: {{}}
    rvq:
      n_q: 4
      q_dropout: false
      bins: {CODES}
      decay: 0.99
      kmeans_init: false
      kmeans_iters: 50
      threshold_ema_dead_code: 2
      orthogonal_reg_weight: 0.0
      orthogonal_reg_active_codes_only: false
"""
"""The published configuration, with smaller sizes and codebooks that need no training data."""
