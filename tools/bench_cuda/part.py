"""Measures one part and prints its result as JSON: `python -m tools.bench_cuda.part NAME SETUP
FOLDER`."""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench_cuda.measurement import Options


def measure(name: str, options: Options) -> dict[str, Any]:
    """Return the result of one part."""
    return _function_of(name)(name, options)


def _function_of(name: str) -> Callable[[str, Options], dict[str, Any]]:
    # Each part imports only its own libraries, so a missing library affects no other part.
    if name == "decoding":
        from tools.bench_cuda.decoding import measure_decoding

        return measure_decoding
    if name == "musicgen_melody":
        from tools.bench_cuda.generation import measure_generation

        return measure_generation
    if name == "qwen2_audio":
        from tools.bench_cuda.captions import measure_captions

        return measure_captions
    from tools.bench_cuda.windows import measure_windows

    return measure_windows


def main() -> None:
    """Print the result as the last line of the output."""
    warnings.simplefilter("ignore")
    name, setup, folder = sys.argv[1:]
    sys.argv[1:] = []  # Some libraries parse the arguments when they are imported.
    parsed = json.loads(setup)
    options = Options(parsed["device"], parsed["is_tiny"], Path(folder))
    print(json.dumps(measure(name, options)))


if __name__ == "__main__":
    main()
