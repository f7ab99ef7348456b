"""Loads models that are published as config.json and model.safetensors on the Hugging Face hub."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from safetensors import safe_open

from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.weight_folder import weight_folder


def load_hub_model(
    model_class: Any, config: Path, checkpoint: Path, *, used: tuple[str, ...] = ("",)
) -> Any:
    """Return the model that `model_class.from_pretrained` loads, in evaluation mode, on the CPU.

    Raises PluginError if a weight is missing. Only weights whose names start with a prefix in
    `used` are checked.
    """
    files = {"config.json": config, "model.safetensors": checkpoint}
    with weight_folder(files) as folder, quiet():
        model = model_class.from_pretrained(folder)
    with safe_open(checkpoint, framework="pt") as file:
        required = {name for name in model.state_dict() if name.startswith(used)}
        refuse_missing_weights(checkpoint, required - set(file.keys()))
    return model.eval().requires_grad_(False)


@contextmanager
def quiet() -> Iterator[None]:
    """While the context is open, hide loading messages and a warning about weight_norm."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated")
        yield
