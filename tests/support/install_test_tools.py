"""Installs what tests need and no wheel carries: a browser, ffmpeg, fonts for screenshots.

`make test` runs it. With root or passwordless sudo it installs; else it prints the one command.
With CI=true something missing is a failure; otherwise the tests that need it are skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FONTS = Path("/usr/share/fonts")


def missing_packages() -> list[str]:
    """Debian's names of what this machine lacks."""
    browser = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    present = {
        "chromium": browser,
        "ffmpeg": shutil.which("ffmpeg") is not None,
        "fonts-noto-cjk": _has_font("NotoSansCJK*"),
        "fonts-noto-color-emoji": _has_font("NotoColorEmoji*"),
    }
    return [package for package, there in present.items() if not there]


def _has_font(pattern: str) -> bool:
    return next(FONTS.rglob(pattern), None) is not None


def _install(packages: list[str]) -> bool:
    """Whether the packages could be installed; asks for no password."""
    apt = shutil.which("apt-get")
    sudo = shutil.which("sudo")
    if apt is None:
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True).returncode:
            return False
        prefix = [sudo, "-n"]
    print(f"── installing {' '.join(packages)} for the tests", flush=True)
    # Another process may hold the lock of the package lists or of dpkg.
    quiet = [
        *prefix,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        apt,
        "-qq",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    install = [*quiet, "install", "--yes", "--no-install-recommends", *packages]
    silence = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(install, **silence).returncode == 0:
        return True
    subprocess.run([*quiet, "update"], **silence)
    return subprocess.run(install, stdout=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """Exit status: 1 with CI=true where something is missing still, else 0."""
    missing = missing_packages()
    if missing and _install(missing):
        missing = missing_packages()
    if not missing:
        return 0
    command = "apt-get install " + " ".join(missing)
    print(f"missing for some tests: {', '.join(missing)}. On Debian, as root: {command}")
    if os.environ.get("CI") == "true":
        print("CI=true: nothing may be skipped, so this is a failure")
        return 1
    print("without CI=true the tests that need it are skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
