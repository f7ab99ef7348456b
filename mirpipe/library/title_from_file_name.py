"""Derives a title from a file name, for tracks without a title in the manifest or the tags."""


def title_from_file_name(path: bytes) -> str:
    """Return the file's name without its folder and suffix.

    Every unprintable character, and every byte that is not valid UTF-8, is replaced by �.
    """
    name = path.rpartition(b"/")[2].rpartition(b".")[0].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "�" for character in name)
