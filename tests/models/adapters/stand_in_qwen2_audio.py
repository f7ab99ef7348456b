"""A small Qwen2-Audio with random weights, in the format in which the real one is published."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from mirpipe.models.adapters.qwen2_audio import transformers

SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"),
)
LETTERS = "abcdefghijklmnopqrstuvwxyz "


def write(folder: Path) -> None:
    """Writes every file of NEEDS where MIRPIPE_STAND_INS=FOLDER looks for it."""
    from mirpipe.plugins.captioners import qwen2_audio

    place = folder / qwen2_audio.REPOSITORY
    place.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    _write_config(place, vocabulary)
    _write_model(place, vocabulary)
    _write_tokenizer(place, vocabulary)
    ends = [vocabulary["<|endoftext|>"], vocabulary["<|im_end|>"]]
    generation = {
        "bos_token_id": ends[0],
        "do_sample": True,
        "eos_token_id": ends,
        "pad_token_id": ends[0],
        "repetition_penalty": 1.1,
        "temperature": 0.7,
        "top_k": 20,
        "top_p": 0.5,
    }
    _json(place / "generation_config.json", generation)
    extractor = transformers.WhisperFeatureExtractor(feature_size=128, return_attention_mask=True)
    extractor.save_pretrained(place)


def _vocabulary() -> dict[str, int]:
    """One token a byte, as the byte-level vocabulary spells it, and the specials behind."""
    from tests.models.adapters.stand_ins import byte_vocabulary

    others = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    tokens = [token for token in byte_vocabulary() if token not in others]
    return {token: number for number, token in enumerate([*tokens, *SPECIAL])}


def _write_model(place: Path, vocabulary: dict[str, int]) -> None:
    torch.manual_seed(0)
    config = transformers.Qwen2AudioConfig.from_pretrained(place)
    model = transformers.Qwen2AudioForConditionalGeneration(config)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:  # by the default all differences drown in the residual stream
                weights.normal_(std=0.3)
        head = model.lm_head.weight
        spoken = {"Ġ" if letter == " " else letter for letter in LETTERS}
        mute = [number for token, number in vocabulary.items() if token not in spoken]
        head[mute] = 0  # below the likeliest letter: it speaks letters, and never ends by itself
    with TemporaryDirectory() as scratch:
        model.to(torch.bfloat16).save_pretrained(scratch)
        _write_shards(place, load_file(Path(scratch) / "model.safetensors"))


def _write_config(place: Path, vocabulary: dict[str, int]) -> None:
    """The published one but for the sizes: what it leaves out, the library knows."""
    config = {
        "architectures": ["Qwen2AudioForConditionalGeneration"],
        "audio_config": {
            "model_type": "qwen2_audio_encoder",
            "d_model": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
        },
        "audio_token_index": vocabulary["<|AUDIO|>"],
        "ignore_index": -100,
        "model_type": "qwen2_audio",
        "text_config": {
            "bos_token_id": vocabulary["<|endoftext|>"],
            "eos_token_id": vocabulary["<|im_end|>"],
            "hidden_size": 32,
            "intermediate_size": 64,
            "max_position_embeddings": 8192,
            "model_type": "qwen2",
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_key_value_heads": 4,
            "rms_norm_eps": 1e-05,
            "rope_theta": 10000,
            "torch_dtype": "bfloat16",
            "use_mrope": False,
            "vocab_size": len(vocabulary),
        },
        "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0",
        "vocab_size": len(vocabulary),
    }
    _json(place / "config.json", config)


def _write_shards(place: Path, weights: dict[str, Any]) -> None:
    """Writes the five files of the real checkpoint and their index."""
    from mirpipe.plugins.captioners import qwen2_audio

    names = [shard.filename for shard in qwen2_audio.SHARDS]
    lies_in = {name: names[n * len(names) // len(weights)] for n, name in enumerate(weights)}
    for file in names:
        part = {name: value for name, value in weights.items() if lies_in[name] == file}
        save_file(part, place / file, metadata={"format": "pt"})
    total = sum(value.nbytes for value in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": lies_in}
    _json(place / qwen2_audio.INDEX.filename, index)


def _write_tokenizer(place: Path, vocabulary: dict[str, int]) -> None:
    letters = {token: n for token, n in vocabulary.items() if token not in SPECIAL}
    tokenizer = transformers.Qwen2TokenizerFast(vocab=letters, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    tokenizer.save_pretrained(place)
    added = {
        str(vocabulary[token]): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for token in SPECIAL
    }
    config = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": list(SPECIAL),
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 8192,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    _json(place / "tokenizer_config.json", config)


def _json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2))
