"""The oldest versions of Postgres and pgvector that mirpipe works with."""

OLDEST_POSTGRES = 15
"""Oldest supported major version of Postgres. Earlier versions lack NULLS NOT DISTINCT."""
OLDEST_PGVECTOR = (0, 8, 4)
"""Oldest supported version of pgvector. Earlier versions can corrupt HNSW indexes."""


def outdated_versions(postgres: int, pgvector: tuple[int, ...] | None) -> list[str]:
    """Return a message for each version that is missing or too old.

    `postgres` is the major version. `pgvector` is None if the server has no pgvector.
    """
    messages = []
    if postgres < OLDEST_POSTGRES:
        messages.append(f"Postgres {postgres} is older than {OLDEST_POSTGRES}")
    if pgvector is None:
        messages.append(f"pgvector {version_text(OLDEST_PGVECTOR)} or newer is not installed")
    elif pgvector < OLDEST_PGVECTOR:
        messages.append(
            f"pgvector {version_text(pgvector)} is older than {version_text(OLDEST_PGVECTOR)}, and "
            "its indexes can be corrupted"
        )
    return messages


def version_parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version such as `0.8.4`."""
    return tuple(int(part) for part in version.split("."))


def version_text(version: tuple[int, ...]) -> str:
    """Return the version with points, such as `0.8.4`."""
    return ".".join(str(part) for part in version)
