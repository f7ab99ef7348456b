"""Restores what a container engine changes in this machine's network.

When dockerd ends, it leaves bridges, iptables chains, a policy and a kernel setting behind.
"""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TABLES = ("nat", "filter")
INTERFACES = Path("/sys/class/net")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


@contextmanager
def restored_network() -> Iterator[None]:
    """Remove what was added to iptables during the context, and restore the changed settings.

    Rules that other programs add in the meantime are removed only if they use a chain of Docker.
    """
    rules, bridges, forwarding = _rules(), _bridges(), FORWARDING.read_text()
    try:
        yield
    finally:
        for table in TABLES:
            _restore(table, before=rules[table], after=_rules()[table])
        for bridge in _bridges() - bridges:
            subprocess.run(["ip", "link", "delete", bridge], check=True)
        FORWARDING.write_text(forwarding)


def _bridges() -> set[str]:
    """Return the names of all bridges with a name that Docker gives."""
    return {path.name for form in ("docker0", "br-*") for path in INTERFACES.glob(form)}


def _rules() -> dict[str, list[str]]:
    """Return the chains, policies and rules of each table, in the format of iptables-save."""
    program = shutil.which("iptables-save") or "/usr/sbin/iptables-save"
    return {
        table: [
            line.rpartition(" ")[0] if line.startswith(":") else line  # without the counters
            for line in subprocess.run(
                [program, "-t", table], capture_output=True, text=True, check=True
            ).stdout.splitlines()
            if line.startswith((":", "-A"))
        ]
        for table in TABLES
    }


def _restore(table: str, *, before: list[str], after: list[str]) -> None:
    iptables = [shutil.which("iptables") or "/usr/sbin/iptables", "-t", table]
    added = [line for line in after if line not in before]
    for line in added:
        if line.startswith("-A") and ("DOCKER" in line or "docker0" in line or " br-" in line):
            subprocess.run([*iptables, "-D", *shlex.split(line)[1:]], check=False)
    chains = [line[1:].split()[0] for line in added if line.endswith(" -")]
    for option in ("-F", "-X"):
        for chain in chains:
            if chain.startswith("DOCKER"):
                subprocess.run([*iptables, option, chain], check=False)
    for line in before:
        if line.startswith(":") and not line.endswith(" -") and line not in after:
            subprocess.run([*iptables, "-P", *line[1:].split()], check=True)
