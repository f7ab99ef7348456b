"""All pages state the versions of Postgres and pgvector that the code requires."""

import re

import pytest

from mirpipe.db.oldest_versions import OLDEST_PGVECTOR, OLDEST_POSTGRES, version_text
from mirpipe.settings import PROJECT

PAGES = [
    path
    for path in (*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"))
    if path.name != "CHANGELOG.md"
]


@pytest.mark.parametrize(
    ("pattern", "version"),
    [
        (r"Postgres(?:QL)?\s+(\d+)\s+or\s+(?:newer|later)", str(OLDEST_POSTGRES)),
        (r"pgvector\s+([\d.]+)\s+or\s+(?:newer|later)", version_text(OLDEST_PGVECTOR)),
    ],
)
def test_every_page_states_the_oldest_version_that_the_code_accepts(
    pattern: str, version: str
) -> None:
    stated = {p.name: re.findall(pattern, p.read_text()) for p in PAGES}
    assert {"README.md", "own-server.md"} <= {name for name, found in stated.items() if found}
    wrong = {name: found for name, found in stated.items() if set(found) - {version}}
    assert wrong == {}


def test_the_packages_for_debian_are_those_of_a_supported_version() -> None:
    page = (PROJECT / "docs/how-to/own-server.md").read_text()
    packages = re.findall(r"postgresql-(\d+)-pgvector", page)
    assert packages
    assert all(int(version) >= OLDEST_POSTGRES for version in packages)
