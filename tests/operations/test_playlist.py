"""Playlists: what players read from the lines."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from mirpipe.operations.playlist import PlaylistEntry, m3u8


def read_as_player(playlist: bytes) -> list[tuple[str, bytes]]:
    """Return the title and the path of each entry, as players read them."""
    assert playlist.startswith(b"#EXTM3U\n")
    entries, title = [], ""
    for line in playlist.decode().splitlines()[1:]:
        line = line.strip()
        if line.startswith("#EXTINF:"):
            title = line.partition(",")[2]
        elif line and not line.startswith("#"):
            is_uri = line.startswith("file://")
            path = unquote_to_bytes(line.removeprefix("file://")) if is_uri else line.encode()
            entries.append((title, path))
    return entries


def test_a_title_and_the_length_are_written() -> None:
    playlist = m3u8("Matches of a", [PlaylistEntry(Path("/müsik/é, 1.ogg"), "Ünïcode, №", 12.6)])
    assert playlist.decode() == (
        "#EXTM3U\n#PLAYLIST:Matches of a\n#EXTINF:13,Ünïcode, №\n/müsik/é, 1.ogg\n"
    )


def test_an_unknown_length_is_minus_one() -> None:
    assert b"#EXTINF:-1,t\n" in m3u8("p", [PlaylistEntry(Path("/a.ogg"), "t", None)])


@given(
    titles=st.lists(st.text(st.characters(codec="utf-8"))),
    name=st.binary(min_size=1).filter(lambda name: b"/" not in name and b"\0" not in name),
)
def test_players_read_one_entry_per_file_for_any_title_and_path(
    titles: list[str], name: bytes
) -> None:
    path = Path(os.fsdecode(b"/folder/x" + name))
    entries = read_as_player(m3u8("p\n/x", [PlaylistEntry(path, title, 1.0) for title in titles]))
    assert [path for _, path in entries] == [os.fsencode(path)] * len(titles)
    assert all(title.isprintable() for title, _ in entries)
