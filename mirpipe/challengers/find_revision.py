"""Finds a revision of a plug-in by the name that a user gives: `NAME` or `NAME@REVISION`."""

from collections.abc import Sequence

from mirpipe.db.store.stored_revisions import StoredRevision
from mirpipe.errors import ConfigurationError


def find_revision(
    text: str, revisions: Sequence[StoredRevision], *, configured: bool = False
) -> StoredRevision:
    """Return the revision that the text names. `revisions` are all revisions, the active one first.

    `NAME` is the active revision of a plug-in, or the configured one if `configured` is true. If
    there is no such revision, it is the other one of these two. `NAME@REVISION` contains at least
    the start of a revision. Raises ConfigurationError, with the revisions that exist, if the text
    does not name exactly one.
    """
    name, _, start = text.partition("@")
    of_name = [revision for revision in revisions if revision.name == name]
    if not of_name:
        names = ", ".join(dict.fromkeys(revision.name for revision in revisions))
        raise ConfigurationError(
            f"No revision of a plug-in {name!r} is stored. Plug-ins: {names or 'none'}."
        )
    if not start:
        found = [each for each in of_name if each.active or each.configured] or of_name
        found = found[-1:] if configured else found[:1]
    else:
        found = [revision for revision in of_name if revision.revision.startswith(start)]
    if len(found) != 1:
        problem = "does not name a revision" if not found else "names several revisions"
        raise ConfigurationError(
            f"{text!r} {problem}. Revisions of {name}: {described(name, revisions)}."
        )
    return found[0]


def described(name: str, revisions: Sequence[StoredRevision]) -> str:
    """Return the revisions of a plug-in with their states, separated by commas."""
    return ", ".join(f"{each.label} ({_state(each)})" for each in revisions if each.name == name)


def _state(revision: StoredRevision) -> str:
    states = ["active"] * revision.active + ["configured"] * revision.configured
    return ", ".join(states) or "replaced"
