"""Writes a Qwen2-Audio model with random weights, in the published format."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from mirpipe.models.adapters.qwen2_audio import transformers
from tests.models.adapters.byte_vocabulary import byte_vocabulary

SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"),
)
LETTERS = "abcdefghijklmnopqrstuvwxyz "


SMALL_AUDIO: dict[str, object] = {
    "d_model": 32,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
}
SMALL_TEXT: dict[str, object] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 4,
}


def write(
    folder: Path,
    *,
    audio: dict[str, object] = SMALL_AUDIO,
    text: dict[str, object] = SMALL_TEXT,
    std: float = 0.3,
    device: str = "cpu",
) -> None:
    """Write every file in NEEDS where MIRPIPE_STAND_INS=FOLDER looks for it.

    `audio` and `text` are the sizes of both parts. The weights have the standard deviation `std`
    and are drawn on `device`.
    """
    from mirpipe.plugins.captioners import qwen2_audio

    repository = folder / qwen2_audio.REPOSITORY
    repository.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    _write_config(repository, vocabulary, audio=audio, text=text)
    _write_model(repository, vocabulary, std=std, device=device)
    _write_tokenizer(repository, vocabulary)
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
    _write_json(repository / "generation_config.json", generation)
    extractor = transformers.WhisperFeatureExtractor(feature_size=128, return_attention_mask=True)
    extractor.save_pretrained(repository)


def _vocabulary() -> dict[str, int]:
    """Return one token per byte, followed by Qwen2-Audio's special tokens."""
    specials_of_roberta = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    tokens = [token for token in byte_vocabulary() if token not in specials_of_roberta]
    return {token: number for number, token in enumerate([*tokens, *SPECIAL])}


def _write_model(repository: Path, vocabulary: dict[str, int], *, std: float, device: str) -> None:
    torch.manual_seed(0)
    config = transformers.Qwen2AudioConfig.from_pretrained(repository)
    with torch.device(device):
        # The full-size model would take twice the memory in float32.
        model = transformers.Qwen2AudioForConditionalGeneration._from_config(
            config, dtype=torch.bfloat16
        )
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                # With the default initialisation, differences in the input have no visible effect.
                weights.normal_(std=std)
        head = model.lm_head.weight[: len(vocabulary)]
        model.lm_head.weight[len(vocabulary) :] = 0
        letters = {"Ġ" if letter == " " else letter for letter in LETTERS}
        others = [number for token, number in vocabulary.items() if token not in letters]
        # With zeros here, the most likely token is always a letter, and the answer never ends.
        head[others] = 0
    with TemporaryDirectory(dir=repository) as temporary:
        model.save_pretrained(temporary, max_shard_size="100GB")
        _write_shards(repository, load_file(Path(temporary) / "model.safetensors"))


def _write_config(
    repository: Path,
    vocabulary: dict[str, int],
    *,
    audio: dict[str, object],
    text: dict[str, object],
) -> None:
    """Write the published configuration with other sizes. The library adds the missing keys."""
    config = {
        "architectures": ["Qwen2AudioForConditionalGeneration"],
        "audio_config": {
            "model_type": "qwen2_audio_encoder",
            **audio,
        },
        "audio_token_index": vocabulary["<|AUDIO|>"],
        "ignore_index": -100,
        "model_type": "qwen2_audio",
        "text_config": {
            "bos_token_id": vocabulary["<|endoftext|>"],
            "eos_token_id": vocabulary["<|im_end|>"],
            "max_position_embeddings": 8192,
            "model_type": "qwen2",
            "rms_norm_eps": 1e-05,
            "rope_theta": 10000,
            "torch_dtype": "bfloat16",
            "use_mrope": False,
            "vocab_size": len(vocabulary),
            **text,
        },
        "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0",
        "vocab_size": len(vocabulary),
    }
    _write_json(repository / "config.json", config)


def _write_shards(repository: Path, weights: dict[str, Any]) -> None:
    """Write the weights as the five published files and their index."""
    from mirpipe.plugins.captioners import qwen2_audio

    filenames = [shard.filename for shard in qwen2_audio.SHARDS]
    file_of = {
        name: filenames[number * len(filenames) // len(weights)]
        for number, name in enumerate(weights)
    }
    for filename in filenames:
        tensors = {name: value for name, value in weights.items() if file_of[name] == filename}
        save_file(tensors, repository / filename, metadata={"format": "pt"})
    total = sum(value.nbytes for value in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": file_of}
    _write_json(repository / qwen2_audio.INDEX.filename, index)


def _write_tokenizer(repository: Path, vocabulary: dict[str, int]) -> None:
    bytes_only = {token: n for token, n in vocabulary.items() if token not in SPECIAL}
    tokenizer = transformers.Qwen2TokenizerFast(vocab=bytes_only, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    tokenizer.save_pretrained(repository)
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
    _write_json(repository / "tokenizer_config.json", config)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2))
