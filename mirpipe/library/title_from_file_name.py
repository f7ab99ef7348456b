"""Makes a title from the name of a file, for tracks that have no title in manifest or tags."""


def title_from_file_name(path: bytes) -> str:
    """Return the file's name without folder and suffix.

    Every character that cannot be printed, and every byte that is not valid UTF-8, becomes �.
    """
    name = path.rpartition(b"/")[2].rpartition(b".")[0].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "�" for character in name)
