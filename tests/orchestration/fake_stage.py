"""A program that replaces the interpreter of a stage and follows a plan.

The program is called with the arguments `-P -m mirpipe.cli.main STAGE --json [--manifest FILE] …`.
It reads the plan from `plan.json` in its own folder, and appends one line per call to `calls.jsonl`
in the same folder.
"""

import json
import os
import sys
import time
from pathlib import Path

folder = Path(__file__).parent
plan = json.loads((folder / "plan.json").read_text())
arguments = sys.argv[1:]
track_ids: list[int] = []
if "--manifest" in arguments:
    track_ids = json.loads(Path(arguments[arguments.index("--manifest") + 1]).read_text())
with (folder / "calls.jsonl").open("a") as calls:
    call = {"pid": os.getpid(), "arguments": arguments, "track_ids": track_ids}
    calls.write(json.dumps(call | {"environment": dict(os.environ)}) + "\n")
print(plan.get("stderr", ""), file=sys.stderr, flush=True)
time.sleep(plan.get("sleep", 0))
for track_id in track_ids:
    if str(track_id) in plan.get("signals", {}):
        os.kill(os.getpid(), plan["signals"][str(track_id)])
for encoder, signal_number in plan.get("encoders", {}).items():
    if any(encoder in argument for argument in arguments):
        os.kill(os.getpid(), signal_number)
print(json.dumps({"embedded": len(track_ids)} | plan.get("counts", {})))
codes = plan["codes"]
sys.exit(max((codes.get(str(track_id), 0) for track_id in track_ids), default=codes["all"]))
