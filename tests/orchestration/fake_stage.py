"""Stands in for the interpreter that runs stages: a stage that does what its plan says.

It is run as `-P -m mirpipe.cli.main STAGE --json [--manifest FILE] …`, and finds its plan and
writes what it saw beside itself.
"""

import json
import os
import sys
import time
from pathlib import Path

here = Path(__file__).parent
plan = json.loads((here / "plan.json").read_text())
arguments = sys.argv[1:]
track_ids: list[int] = []
if "--manifest" in arguments:
    track_ids = json.loads(Path(arguments[arguments.index("--manifest") + 1]).read_text())
with (here / "seen.jsonl").open("a") as seen:
    line = {"pid": os.getpid(), "arguments": arguments, "track_ids": track_ids}
    seen.write(json.dumps(line | {"environment": dict(os.environ)}) + "\n")
print(plan.get("stderr", ""), file=sys.stderr, flush=True)
time.sleep(plan.get("sleep", 0))
for track_id in track_ids:
    if str(track_id) in plan.get("signals", {}):
        os.kill(os.getpid(), plan["signals"][str(track_id)])
for encoder, number in plan.get("encoders", {}).items():
    if any(encoder in argument for argument in arguments):
        os.kill(os.getpid(), number)
print(json.dumps({"embedded": len(track_ids)} | plan.get("counts", {})))
sys.exit(max((plan["codes"].get(str(one), 0) for one in track_ids), default=plan["codes"]["all"]))
