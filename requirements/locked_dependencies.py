"""Makes the package require exactly the versions in core.txt, which are the tested ones."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface
from packaging.requirements import Requirement

LOCK = Path(__file__).with_name("core.txt")


class LockedDependencies(MetadataHookInterface):
    """Sets the field `dependencies` of the package's metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add all requirements of core.txt. Raises ValueError if a direct dependency is missing."""
        locked = [
            Requirement(line.rstrip("\\ "))
            for line in LOCK.read_text().splitlines()
            if line[:1].isalnum()
        ]
        pinned = {requirement.name: requirement.specifier for requirement in locked}
        for direct in map(Requirement, self.config["dependencies"]):
            versions = [str(pin.version) for pin in pinned.get(direct.name, ())]
            if not any(map(direct.specifier.contains, versions)):
                raise ValueError(f"requirements/core.txt does not lock {direct}. Run make lock.")
        metadata["dependencies"] = [str(requirement) for requirement in locked]
