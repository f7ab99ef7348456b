"""The fields that are read from tags, and the names of these fields in each tag format."""

import re

FIELDS = (
    *("title", "artist", "album", "albumartist", "composer"),
    *("genre", "bpm", "date", "tracknumber"),
)
"""Names of the fields. All except `title` are also names of labels."""

# Names in lower case, without spaces, underscores and hyphens. Each line contains ID3, MP4, ASF,
# the INFO list of WAV, and then other names that Vorbis comments, APEv2, Matroska and CAF use.
_NAMES = {
    "title": "title tit2 ©nam inam",  # codespell:ignore nam
    "artist": "artist tpe1 ©art author iart",
    "album": "album talb ©alb wm/albumtitle iprd",
    "albumartist": "albumartist tpe2 aart wm/albumartist",
    "composer": "composer tcom ©wrt wm/composer imus",
    "genre": "genre tcon ©gen wm/genre ignr",
    "bpm": "bpm tbpm tmpo wm/beatsperminute tempo",
    "date": "date tdrc ©day wm/year icrd year daterecorded datereleased recordeddate",
    "tracknumber": "tracknumber trck trkn wm/tracknumber itrk track iprt partnumber",
}
_FIELD_OF_NAME = {name: field for field, names in _NAMES.items() for name in names.split()}


def field_of(name: str) -> str | None:
    """Return the field that a tag with this name contains, or None if the tag is not read."""
    return _FIELD_OF_NAME.get(re.sub(r"[ _-]", "", name.lower()))
