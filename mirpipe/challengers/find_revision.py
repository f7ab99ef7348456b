"""Finds an encoder revision by the name that a user gives: `NAME` or `NAME@REVISION`."""

from collections.abc import Sequence

from mirpipe.db.store.stored_revisions import StoredRevision
from mirpipe.errors import ConfigurationError


def find_revision(text: str, revisions: Sequence[StoredRevision]) -> StoredRevision:
    """Return the revision that the text names. `revisions` are all revisions, the active one first.

    `NAME` is the active revision of an encoder, or the configured one if none is active.
    `NAME@REVISION` contains at least the start of a revision. Raises ConfigurationError, with the
    revisions that exist, if the text does not name exactly one.
    """
    name, _, start = text.partition("@")
    of_name = [revision for revision in revisions if revision.encoder == name]
    if not of_name:
        names = ", ".join(dict.fromkeys(revision.encoder for revision in revisions))
        raise ConfigurationError(
            f"There is no encoder {name!r} with vectors. Encoders: {names or 'none'}."
        )
    if not start:
        if of_name[0].active or of_name[0].configured:
            return of_name[0]
        found = of_name
    else:
        found = [revision for revision in of_name if revision.revision.startswith(start)]
    if len(found) != 1:
        problem = "does not name a revision" if not found else "names several revisions"
        raise ConfigurationError(
            f"{text!r} {problem}. Revisions of {name}: {', '.join(map(_described, of_name))}."
        )
    return found[0]


def _described(revision: StoredRevision) -> str:
    states = [
        state
        for state, is_true in (
            ("active", revision.active),
            ("configured", revision.configured),
        )
        if is_true
    ]
    return f"{revision.label} ({', '.join(states) or 'replaced'})"
