"""Samples the audio codes of several MusicGen-Melody requests together, each with its own seed.

The library's own `generate` is not used for this, for three reasons. It draws the random numbers of
all rows from one generator. It lets the decoder attend to the padding of shorter prompts, and
counts the padding as positions. And it gives all rows the same guidance and the same number of
frames. A single request gets the same codes as from the library.

The last bits of a matrix product depend on its shape, but those of a row do not depend on the other
rows. Batches of a fixed shape therefore give the same codes whatever else they contain.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers


@dataclass(frozen=True)
class SamplingRequest:
    """The input of one request to the decoder."""

    states: Any
    """What the decoder continues: melody, then text. A tensor of shape (positions, hidden size)."""
    null_states: Any
    """The same without melody and text, for guidance. A tensor of the same shape."""
    guidance: float
    frames: int
    """Number of codes per codebook."""
    seed: int


def sample_codes(
    decoder: Any,
    requests: Sequence[SamplingRequest],
    *,
    sampling: Mapping[str, Any],
    width: int | None = None,
) -> list[Any]:
    """Return one tensor of codes per request, of shape (codebooks, frames).

    `decoder` is a MusicgenMelodyForCausalLM, and `sampling` contains `temperature`, `top_k` and
    `top_p`. All states are padded to `width` positions; by default, to those of the longest states.
    The random numbers of a request depend only on its seed. With the same number of requests and
    the same `width`, its codes do not depend on the other requests.
    """
    codebooks, pad = decoder.num_codebooks, decoder.config.pad_token_id
    device = requests[0].states.device
    is_guided = any(request.guidance > 1 for request in requests)
    copies = 2 if is_guided else 1
    frames = torch.tensor([request.frames for request in requests], device=device)
    steps = int(frames.max()) + codebooks - 1
    generators = [torch.Generator(device).manual_seed(request.seed) for request in requests]
    warpers = _warpers(sampling)
    prefix, mask, positions = _padded_prefix(requests, steps, width, is_guided=is_guided)
    width = prefix.shape[1]
    codes = torch.full((len(requests), codebooks, steps + 1), pad, device=device)
    cache = None
    with _positions_of_rows(decoder, positions):
        for step in range(steps):
            is_first = step == 0
            output = decoder(
                input_ids=codes[..., step].reshape(-1, 1).repeat(copies, 1),
                attention_mask=None
                if mask is None
                else mask[:, is_first * width : width + step + 1],
                encoder_hidden_states=prefix if is_first else None,
                encoder_attention_mask=mask[:, :width] if is_first and mask is not None else None,
                past_key_values=cache,
                use_cache=True,
            )
            cache = output.past_key_values
            logits = output.logits[:, -1].float()
            del output  # The first step returns the logits of all positions.
            scores = _guided(logits, requests) if is_guided else logits
            drawn = _draw(warpers(None, scores), generators)
            # Codebook k starts k steps later than the first one.
            frame = step - torch.arange(codebooks, device=device)
            is_in_clip = (frame >= 0) & (frame < frames[:, None])
            codes[..., step + 1] = torch.where(is_in_clip, drawn.reshape(is_in_clip.shape), pad)
    return [
        torch.stack([row[k, k + 1 : k + 1 + request.frames] for k in range(codebooks)])
        for row, request in zip(codes, requests, strict=True)
    ]


def _warpers(sampling: Mapping[str, Any]) -> Any:
    """Return the library's filters for the scores, in the library's order."""
    warpers = transformers.LogitsProcessorList()
    if sampling["temperature"] != 1:
        warpers.append(transformers.TemperatureLogitsWarper(sampling["temperature"]))
    if sampling["top_k"]:
        warpers.append(transformers.TopKLogitsWarper(sampling["top_k"]))
    if sampling["top_p"] < 1:
        warpers.append(transformers.TopPLogitsWarper(sampling["top_p"]))
    return warpers


def _padded_prefix(
    requests: Sequence[SamplingRequest], steps: int, width: int | None, *, is_guided: bool
) -> tuple[Any, Any, Any]:
    """Return the prefixes in one tensor, the attention mask, and the position of each input.

    Shorter prefixes are padded at their end. The mask has shape (rows, width + steps), and hides
    the padding. The positions have the same shape, and do not count the padding. Both are None if
    there is no padding and no `width`. If `is_guided`, the rows without melody and text follow the
    other rows.
    """
    states = [request.states for request in requests]
    if is_guided:
        states += [request.null_states for request in requests]
    prefix = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
    lengths = torch.tensor([len(each) for each in states], device=prefix.device)[:, None]
    if width is None and bool((lengths == prefix.shape[1]).all()):
        return prefix, None, None
    width = width or prefix.shape[1]
    prefix = torch.nn.functional.pad(prefix, (0, 0, 0, width - prefix.shape[1]))
    inputs = torch.arange(width + steps, device=prefix.device)[None]
    mask = ((inputs < lengths) | (inputs >= width)).long()
    positions = torch.where(inputs < width, inputs, inputs - width + lengths)
    return prefix, mask, positions


def _guided(logits: Any, requests: Sequence[SamplingRequest]) -> Any:
    """Return the logits of the first half of the rows, guided away from those of the second half.

    As in the library, a guidance of 1 means no guidance.
    """
    conditional, unconditional = logits.chunk(2)
    guidance = torch.tensor([request.guidance for request in requests], device=logits.device)
    guidance = guidance.repeat_interleave(len(conditional) // len(requests))[:, None]
    guided = unconditional + (conditional - unconditional) * guidance
    return torch.where(guidance > 1, guided, conditional)


def _draw(scores: Any, generators: Sequence[Any]) -> Any:
    """Return one code per row of scores. Each generator draws the codes of one request."""
    probabilities = scores.softmax(-1).chunk(len(generators))
    return torch.cat(
        [
            torch.multinomial(of_request, 1, generator=generator)
            for of_request, generator in zip(probabilities, generators, strict=True)
        ]
    )


@contextmanager
def _positions_of_rows(decoder: Any, positions: Any) -> Iterator[None]:
    """While the context is open, the decoder uses these positions. None leaves it unchanged."""
    if positions is None:
        yield
        return
    embed = decoder.model.decoder.embed_positions
    # The library reads only the number of inputs from its argument.
    table = embed(torch.empty(1, int(positions.max()) + 1, 0, device=positions.device))

    def replace(_module: Any, arguments: tuple[Any, int], _embeddings: Any) -> Any:
        inputs, previous = arguments
        return table[positions[:, previous : previous + inputs.shape[1]]]

    handle = embed.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
