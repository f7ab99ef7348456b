"""Names of collections for people. In the database, clips are in the collection `generated`."""


def collection_name(collection: str) -> str:
    """Return what a track of this collection is called: "reference", "target" or "clip"."""
    return "clip" if collection == "generated" else collection
