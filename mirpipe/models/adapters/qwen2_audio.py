"""Runs Qwen2-Audio, loaded by transformers, on one segment and one instruction at a time.

Decoding is greedy. Segments are not batched, because padding would change the numbers slightly, and
a slightly different number can change every word that follows.
"""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import torch
import transformers

from mirpipe.errors import OutOfMemory, PluginError, RejectedInput
from mirpipe.models.adapters.freed_tensors import free_tensors_of
from mirpipe.models.adapters.memory_requirements import FreeMemory, require_memory
from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.transformers_output import without_progress_bar
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import AudioSegment
from mirpipe.specs import Runtime

SAMPLE_RATE = 16_000
"""Sample rate of the segments, in Hz."""

LONGEST_SAMPLES = 480_000
"""Maximum segment length, in samples: thirty seconds. The library ignores everything beyond it."""

CONVERSATION = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "<|im_start|>user\nAudio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n{instruction}<|im_end|>\n"
    "<|im_start|>assistant\n"
)
"""Prompt template that the model was trained with.

The published files do not contain this template. transformers contains it, but a later version may
remove it.
"""


class Qwen2Audio:
    """The model loaded from one checkpoint."""

    def __init__(self, runtime: Runtime, *, name: str, max_new_tokens: int) -> None:
        """Load the model. Raises Unavailable if the model does not fit into the free memory.

        The error message uses `name`, the plug-in's name.
        """
        self.device = choose_device(runtime.device)
        require_memory(
            name,
            free_memory(),
            weight_bytes=_weight_bytes(runtime),
            compute_dtype=runtime.compute_dtype,
            on_card=self.device.type == "cuda",
        )
        self._max_new_tokens = max_new_tokens
        files = {file.filename: path for file, path in runtime.files.items()}
        with weight_folder(files) as folder:
            self._processor = load_processor(folder)
            self._model = load_model(folder, runtime.compute_dtype, self.device)

    def answer(self, segment: AudioSegment, instruction: str) -> str:
        """Return the model's answer as one non-empty line of text.

        Raises RejectedInput (`no_caption`) if the answer is empty, PluginError if the segment has
        the wrong sample rate or is too long, and OutOfMemory if the GPU runs out of memory.
        """
        inputs = self._inputs(segment, instruction)
        try:
            with torch.inference_mode():
                # With one beam and without sampling, the most likely token is chosen at each step.
                tokens = self._model.generate(
                    **inputs, max_new_tokens=self._max_new_tokens, do_sample=False, num_beams=1
                )
        except torch.cuda.OutOfMemoryError as error:
            free_tensors_of(error)
            raise OutOfMemory(
                f"One segment does not fit into GPU memory together with the model: {error}. Free "
                "some GPU memory, or use a GPU with more memory"
            ) from error
        new_tokens = tokens[0, inputs["input_ids"].shape[1] :]
        text = self._processor.tokenizer.decode(new_tokens, skip_special_tokens=True)
        line = " ".join(str(text).split())
        if not line:
            raise RejectedInput("no_caption", "The model returned no text for this segment")
        return line

    def _inputs(self, segment: AudioSegment, instruction: str) -> Any:
        length = len(segment.samples)
        if segment.sample_rate != SAMPLE_RATE or not 0 < length <= LONGEST_SAMPLES:
            raise PluginError(
                f"A segment has {length} samples at {segment.sample_rate} Hz, but the model takes "
                f"1 to {LONGEST_SAMPLES} samples at {SAMPLE_RATE} Hz. Report this as a bug in "
                "mirpipe"
            )
        inputs = self._processor(
            text=CONVERSATION.format(instruction=instruction),
            audio=[segment.samples],
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
        ).to(self.device)
        inputs["input_features"] = inputs["input_features"].to(self._model.dtype)
        return inputs


def free_memory() -> FreeMemory:
    """Return the memory that is currently free on this machine."""
    card = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
    has_int8 = all(find_spec(library) for library in ("bitsandbytes", "accelerate"))
    return FreeMemory(psutil.virtual_memory().available, card, has_int8)


def load_processor(folder: Path) -> Any:
    """Return the feature extractor and the tokenizer, loaded from this folder only."""
    return transformers.Qwen2AudioProcessor(
        transformers.WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True),
        transformers.Qwen2TokenizerFast.from_pretrained(folder, local_files_only=True),
    )


def load_model(folder: Path, compute_dtype: str, device: Any) -> Any:
    """Return the model, in evaluation mode, on this device, loaded from this folder only.

    Raises PluginError if weights are missing, because transformers would leave them random.
    """
    options: dict[str, Any] = {}
    if compute_dtype == "int8":
        quantisation = transformers.BitsAndBytesConfig(load_in_8bit=True)
        options = {"quantization_config": quantisation, "device_map": {"": device}}
        # Without this setting, bitsandbytes logs a warning for each matrix product that it converts
        # from bfloat16.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with without_progress_bar():
        model, report = transformers.Qwen2AudioForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            dtype=torch.bfloat16,
            output_loading_info=True,
            **options,
        )
    refuse_missing_weights("The Qwen2-Audio checkpoint", report["missing_keys"])
    # transformers would warn about sampling parameters, because sampling is off.
    model.generation_config.update(do_sample=False, temperature=None, top_k=None, top_p=None)
    model.eval().requires_grad_(False)
    return model if options else model.to(device)


def _weight_bytes(runtime: Runtime) -> int:
    return sum(
        path.stat().st_size
        for file, path in runtime.files.items()
        if file.filename.endswith(".safetensors")
    )
