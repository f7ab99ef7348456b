"""Fingerprint of the library, by which changes of tracks or labels are detected."""

EMPTY_LIBRARY = "0"
"""Fingerprint of a library without tracks."""


def library_fingerprint() -> str:
    """Return a string that changes if tracks are added, removed or relabelled.

    A library without tracks has the fingerprint `EMPTY_LIBRARY`.
    """
    from mirpipe.db.engine import engine
    from mirpipe.db.store import tracks

    with engine("app").connect() as connection:
        return tracks.fingerprint(connection)


def has_tracks_to_compare() -> bool:
    """Return whether there are acoustic fingerprints that were not compared with the others yet.

    This is so after an update of mirpipe, or of ffmpeg, although the library has not changed.
    """
    from mirpipe.db.engine import engine
    from mirpipe.db.store import same_recordings

    with engine("app").connect() as connection:
        return same_recordings.count_changes(connection) > 0
