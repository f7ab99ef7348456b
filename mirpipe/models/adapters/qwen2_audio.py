"""Qwen2-Audio as transformers runs it: one segment and one instruction at a time, decoded greedily.

Batching is no option: padding moves the numbers, and one moved number may change every later word.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import torch
import transformers

from mirpipe.errors import OutOfMemory, PluginError, RejectedInput
from mirpipe.models.adapters import memory_requirements
from mirpipe.models.adapters.torch_runtime import device
from mirpipe.records import AudioSegment
from mirpipe.specs import Runtime

SAMPLE_RATE = 16_000
LONGEST_SAMPLES = 480_000
"""Thirty seconds: the encoder has no more positions, and the library cuts off the rest."""

CONVERSATION = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "<|im_start|>user\nAudio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n{instruction}<|im_end|>\n"
    "<|im_start|>assistant\n"
)
"""As the model was trained; the published files do not hold it, and the library may drop it."""


class Qwen2Audio:
    """The model of one checkpoint."""

    def __init__(self, runtime: Runtime, *, name: str, max_new_tokens: int) -> None:
        """Raises Unavailable where it does not fit into the memory that is free."""
        self.device = device(runtime.device)
        memory_requirements.require(
            name,
            here(),
            weight_bytes=sum(
                path.stat().st_size
                for file, path in runtime.files.items()
                if file.filename.endswith(".safetensors")
            ),
            compute_dtype=runtime.compute_dtype,
            on_card=self.device.type == "cuda",
        )
        self._max_new_tokens = max_new_tokens
        with TemporaryDirectory() as name_of_folder:
            # the loader wants one folder, and the published names in it
            folder = Path(name_of_folder)
            for file, path in runtime.files.items():
                (folder / file.filename).symlink_to(path.resolve())
            self._processor = load_processor(folder)
            self._model = load_model(folder, runtime.compute_dtype, self.device)

    def answer(self, segment: AudioSegment, instruction: str) -> str:
        """The model's answer in one line, never empty.

        Raises RejectedInput (`no_caption`) where it says nothing, PluginError for a segment of another
        rate or length, OutOfMemory where a single segment is too much for the card.
        """
        inputs = self._inputs(segment, instruction)
        try:
            with torch.inference_mode():
                # one beam without sampling: the likeliest token, every time
                tokens = self._model.generate(
                    **inputs, max_new_tokens=self._max_new_tokens, do_sample=False, num_beams=1
                )
        except torch.cuda.OutOfMemoryError as error:
            raise OutOfMemory(f"one segment does not fit beside the model: {error}") from error
        new = tokens[0, inputs["input_ids"].shape[1] :]
        said = self._processor.tokenizer.decode(new, skip_special_tokens=True)
        line = " ".join(str(said).split())
        if not line:
            raise RejectedInput("no_caption", "the model says nothing of this segment")
        return line

    def _inputs(self, segment: AudioSegment, instruction: str) -> Any:
        if segment.sample_rate != SAMPLE_RATE or not 0 < len(segment.samples) <= LONGEST_SAMPLES:
            raise PluginError(
                f"a segment has {len(segment.samples)} samples at {segment.sample_rate} Hz; it must have "
                f"1 to {LONGEST_SAMPLES} at {SAMPLE_RATE}"
            )
        inputs = self._processor(
            text=CONVERSATION.format(instruction=instruction),
            audio=[segment.samples],
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
        ).to(self.device)
        inputs["input_features"] = inputs["input_features"].to(self._model.dtype)
        return inputs


def here() -> memory_requirements.Room:
    """What is free on this machine now."""
    card = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
    has_int8 = all(find_spec(library) for library in ("bitsandbytes", "accelerate"))
    return memory_requirements.Room(psutil.virtual_memory().available, card, has_int8)


def load_processor(folder: Path) -> Any:
    """Feature extractor and tokenizer of the published files; asks no network."""
    return transformers.Qwen2AudioProcessor(
        transformers.WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True),
        transformers.Qwen2TokenizerFast.from_pretrained(folder, local_files_only=True),
    )


def load_model(folder: Path, compute_dtype: str, where: Any) -> Any:
    """The model, evaluating, on `where`; asks no network.

    Raises PluginError where weights are missing, which the library would leave random.
    """
    options: dict[str, Any] = {}
    if compute_dtype == "int8":
        quantised = transformers.BitsAndBytesConfig(load_in_8bit=True)
        options = {"quantization_config": quantised, "device_map": {"": where}}
        # it would tell of every product that it casts bfloat16
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with _quiet():
        model, report = transformers.Qwen2AudioForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            dtype=torch.bfloat16,
            output_loading_info=True,
            **options,
        )
    if missing := sorted(report["missing_keys"]):
        raise PluginError(f"the checkpoint lacks {len(missing)} weights, {missing[0]} among them")
    # they would be warned of, being of no effect without sampling
    model.generation_config.update(do_sample=False, temperature=None, top_k=None, top_p=None)
    model.eval().requires_grad_(False)
    return model if options else model.to(where)


@contextmanager
def _quiet() -> Iterator[None]:
    """While it lasts, no bar tells how many weights are loaded."""
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.utils.logging.enable_progress_bar()
