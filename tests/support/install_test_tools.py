"""Installs the programs that the tests need: a browser, ffmpeg, fonts, Postgres 16, an S3 server.

With the argument `containers`, it installs the programs that start a container engine and make its
images, too, unless an engine is running already. `make test` and `make test-containers` run this
program. If the user is root or can use sudo without a password, the program
installs the missing packages. Otherwise it prints the command that installs them. If a package is
still missing, the tests that need it are skipped; with CI=true, `make test` fails.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FONTS = Path("/usr/share/fonts")
PROJECT = Path(__file__).resolve().parents[2]
OLD_POSTGRES = PROJECT / "var" / "test-programs" / "postgres-16"
"""Folder of the Postgres 16 that the tests of `mirpipe db upgrade` start."""
S3_SERVER = PROJECT / "var" / "test-programs" / "s3-server"
"""Python environment of moto, the S3 server that the tests of object storage start."""


def missing_packages(*, containers: bool = False) -> list[str]:
    """Return the Debian names of the packages that are missing on this machine."""
    browser = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    present = {
        "chromium": browser,
        "ffmpeg": shutil.which("ffmpeg") is not None,
        "fonts-noto-cjk": _has_font("NotoSansCJK*"),
        "fonts-noto-color-emoji": _has_font("NotoColorEmoji*"),
    }
    if containers:
        # Only root can run debootstrap. Other users pull the public images.
        present["debootstrap"] = os.geteuid() != 0 or _has_program("debootstrap")
        if not has_engine():
            present |= {
                "docker.io": _has_program("docker") and _has_program("dockerd"),
                "iptables": _has_program("iptables"),
                "iproute2": _has_program("ip"),
            }
    return [package for package, is_present in present.items() if not is_present]


def _has_program(name: str) -> bool:
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"])) is not None


def has_engine() -> bool:
    """Return whether the program `docker` reaches an engine."""
    return (
        _has_program("docker")
        and not subprocess.run(["docker", "info"], capture_output=True).returncode
    )


def _has_font(pattern: str) -> bool:
    return next(FONTS.rglob(pattern), None) is not None


def _install(packages: list[str]) -> bool:
    """Install the packages without asking for a password. Return whether they were installed."""
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
    # Wait if another process has locked dpkg or the package lists.
    command = [
        *prefix,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        apt,
        "-qq",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    install = [*command, "install", "--yes", "--no-install-recommends", *packages]
    no_output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(install, **no_output).returncode == 0:
        return True
    subprocess.run([*command, "update"], **no_output)
    return subprocess.run(install, stdout=subprocess.DEVNULL).returncode == 0


def _install_old_postgres() -> bool:
    """Install Postgres 16, and return whether it is installed. An existing one is kept."""
    if OLD_POSTGRES.exists():
        return True
    print("── installing Postgres 16 for the tests", flush=True)
    unfinished = OLD_POSTGRES.with_name(f"{OLD_POSTGRES.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [PROJECT / ".venv" / "bin" / "uv", "pip", "install", "--quiet", "--no-deps"]
    command += ["--python", PROJECT / ".venv" / "bin" / "python", "--target", unfinished]
    command += ["--require-hashes", "-r", PROJECT / "requirements" / "old_postgres.txt"]
    if subprocess.run(command).returncode:
        return False
    unfinished.rename(OLD_POSTGRES)
    return True


def _install_s3_server() -> bool:
    """Install moto in its own environment, and return whether it is installed."""
    if S3_SERVER.exists():
        return True
    print("── installing an S3 server for the tests", flush=True)
    unfinished = S3_SERVER.with_name(f"{S3_SERVER.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    # With --relocatable, the environment can be renamed when it is complete.
    uv = PROJECT / ".venv" / "bin" / "uv"
    create = [uv, "venv", "--quiet", "--relocatable", "--python", PROJECT / ".venv/bin/python"]
    install = [uv, "pip", "install", "--quiet", "--python", unfinished / "bin" / "python"]
    install += ["--no-deps", "--require-hashes"]
    install += ["-r", PROJECT / "requirements" / "s3_server.txt"]
    for command in ([*create, unfinished], install):
        if subprocess.run(command).returncode:
            return False
    unfinished.rename(S3_SERVER)
    return True


def main() -> int:
    """Return the exit status: 1 if a program is still missing that no test may skip, else 0."""
    containers = "containers" in sys.argv[1:]
    if containers and os.geteuid() != 0 and not has_engine():
        print(
            "No container engine answers, and only root can start one. Start Docker, or run "
            "`make test-containers` as root"
        )
        return 1
    installed = {"Postgres 16": _install_old_postgres(), "an S3 server": _install_s3_server()}
    not_installed = [name for name, is_installed in installed.items() if not is_installed]
    missing = missing_packages(containers=containers)
    if missing and _install(missing):
        missing = missing_packages(containers=containers)
    if not missing and not not_installed:
        return 0
    for name in not_installed:
        print(f"Missing for some tests: {name}. The error above says why.")
    if missing:
        command = "apt-get install " + " ".join(missing)
        print(f"Missing for some tests: {', '.join(missing)}. On Debian, run as root: {command}")
    if os.environ.get("CI") == "true":
        print("CI=true: no test may be skipped, so this is a failure")
        return 1
    if containers:
        return 1
    print("The tests that need it are skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
