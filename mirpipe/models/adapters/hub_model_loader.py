"""Models that publish config.json and model.safetensors and load by the hub's model mixin."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import safe_open

from mirpipe.errors import PluginError


def load(model_class: Any, config: Path, checkpoint: Path, *, used: tuple[str, ...] = ("",)) -> Any:
    """What the class's `from_pretrained` makes of the two files, evaluating, on the CPU.

    The loader passes over weights that are missing: raises PluginError where one is missing whose
    name begins with one of `used`.
    """
    with TemporaryDirectory() as folder, _quiet():
        # the loader wants one folder, which a cache or a user need not have
        (Path(folder) / "config.json").symlink_to(config.resolve())
        (Path(folder) / "model.safetensors").symlink_to(checkpoint.resolve())
        model = model_class.from_pretrained(folder)
    with safe_open(checkpoint, framework="pt") as file:
        wanted = {name for name in model.state_dict() if name.startswith(used)}
        missing = sorted(wanted - set(file.keys()))
    if missing:
        raise PluginError(f"{checkpoint} lacks {len(missing)} weights, {missing[0]} among them")
    return model.eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """While it lasts, nobody is told that weights are loaded, nor how they are normalised."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated")
        yield
