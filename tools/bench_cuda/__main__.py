"""Measures the large models on one GPU: `python -m tools.bench_cuda --help`."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.bench_cuda.parts import PARTS, run_parts, stored_outcome
from tools.bench_cuda.report import markdown

_DESCRIBE = """
import json, platform, sys, torch
device, is_tiny = sys.argv[1], sys.argv[2] == "True"
if device == "cuda" and not torch.cuda.is_available():
    raise SystemExit("torch finds no CUDA GPU. Choose --device cpu --tiny to try the program")
cuda = torch.cuda.get_device_properties("cuda") if device == "cuda" else None
print(json.dumps({
    "device": device,
    "is_tiny": is_tiny,
    "card": cuda.name if cuda else platform.processor() or platform.machine(),
    "card_megabytes": round(cuda.total_memory / 1e6) if cuda else None,
    "python": platform.python_version(),
    "torch": torch.__version__,
    "cuda": torch.version.cuda,
    "tf32_in_products": torch.backends.cuda.matmul.allow_tf32,
    "tf32_in_convolutions": torch.backends.cudnn.allow_tf32,
}))
"""


def main() -> int:
    """Run the parts, write the page, and return 1 if a part has no result."""
    options = _options()
    process = subprocess.run(
        [sys.executable, "-c", _DESCRIBE, options.device, str(options.tiny)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        print((process.stderr.strip().splitlines() or ["torch failed"])[-1], file=sys.stderr)
        return 2
    setup: dict[str, Any] = json.loads(process.stdout)
    outcomes = run_parts(options.parts, setup, options.out, seconds=options.minutes * 60)
    shown = {name: stored_outcome(name, setup, options.out) for name in PARTS} | outcomes
    page = options.out / "results.md"
    page.write_text(markdown(setup, shown))
    print(page)
    return int(any("error" in outcome for outcome in outcomes.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_cuda", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small models, to try the program")
    parser.add_argument("--minutes", type=float, default=10, help="time limit (default: 10)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=str(PARTS)
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
