"""Says whether this machine can run containers. If it cannot, prints the reason and exits with 1.

`.ci/run` leaves out the tests in containers on such a machine. A container engine in it may run
already; otherwise, root installs and starts one, for which the kernel must allow mounts and
networks.
"""

import os
import subprocess
import sys

from tests.support import install_test_tools

NEEDS = {
    "mount file systems": ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
    "create networks": ["unshare", "--net", "ip", "link", "add", "br0", "type", "bridge"],
}
"""What an engine does, and a command that tries it in a namespace of its own."""


def obstacle() -> str | None:
    """Return why no container can be started here, or None."""
    if not install_test_tools.has_engine() and os.geteuid() != 0:
        return "no Docker engine is running, and only root can start one"
    installs = [sys.executable, install_test_tools.__file__, "containers"]
    if subprocess.run(installs).returncode or install_test_tools.has_engine():
        return None  # If a program is missing, `make test-containers` names it and fails.
    for action, command in NEEDS.items():
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode:
            return f"this machine does not let root {action}: {process.stderr.strip()}"
    return None


if __name__ == "__main__":
    reason = obstacle()
    if reason:
        print(f"NOT TESTED: the containers, because {reason}.")
        sys.exit(1)
