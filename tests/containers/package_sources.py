"""Where apt and pip of this machine get packages, so that builds in containers use the same.

A developer's machine may need a mirror, a proxy or its own certificates to reach a registry.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

RELEASE = "bookworm"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class PackageSources:
    """Configuration for apt and pip."""

    apt: tuple[str, ...]
    """Lines of sources.list, with the release itself first; empty if this machine is not Debian."""
    certificates: Path | None
    """File with the certificates that pip trusts, if pip does not use its own."""
    variables: dict[str, str]
    """Environment variables for pip, uv and proxies."""

    @property
    def mirror(self) -> str | None:
        """The address from which debootstrap downloads; None for its default."""
        return self.apt[0].split()[1] if self.apt else None


def package_sources() -> PackageSources:
    """Return the configuration of this machine's apt and pip."""
    index = os.environ.get("UV_DEFAULT_INDEX") or _pip("index-url")
    certificates = os.environ.get("PIP_CERT") or _pip("cert")
    proxies = {name: os.environ[name] for name in PROXIES if name in os.environ}
    return PackageSources(
        apt=tuple(_apt_lines()),
        certificates=Path(certificates) if certificates else None,
        variables=proxies | ({"PIP_INDEX_URL": index} if index else {}),
    )


def _pip(option: str) -> str | None:
    command = [sys.executable, "-m", "pip", "config", "get", f"global.{option}"]
    process = subprocess.run(command, capture_output=True, text=True)
    return process.stdout.strip() or None


def _apt_lines() -> list[str]:
    form = "$(ORIGIN) deb $(SITE) $(RELEASE) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    try:
        process = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return []
    lines = {
        line.removeprefix("Debian ")
        for line in process.stdout.splitlines()
        if line.startswith("Debian ") and line.split()[3].startswith(RELEASE)
    }
    return sorted(lines, key=lambda line: (line.split()[2] != RELEASE, line))
