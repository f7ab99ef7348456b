"""Reads the tags of Matroska, WebM, CAF and other containers by the program ffprobe."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from mirpipe.library.tag_readers.raw_values import RawTag

# Only audio containers are allowed, because a playlist could make ffprobe open other files.
_DEMUXERS = "matroska,caf,aiff,w64,wav,tak,tta,wv,ape,mpc,mpc8,rm,flv,mov,asf,ogg,flac,avi,dsf,iff"
_TIMEOUT_SECONDS = 30
_OPTIONS = (
    *("-v", "error", "-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS),
    *("-show_entries", "format_tags:stream_tags", "-select_streams", "a", "-of", "json"),
)


def ffprobe_tags(path: str) -> list[RawTag]:
    """Return the tags of the container, then those of its audio streams.

    The list is empty if ffprobe is not installed or cannot read the file.
    """
    program = shutil.which("ffprobe")
    if program is None:
        return []
    # Without "file:", ffprobe could interpret the path as an option, a protocol or a pattern.
    source = b"file:" + os.fsencode(Path(path).absolute())
    process = subprocess.run(
        [program, *_OPTIONS, source],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    found = json.loads(process.stdout.decode("utf-8", "replace") or "{}")
    parts = [found.get("format", {}), *found.get("streams", [])]
    return [(name, [text]) for part in parts for name, text in part.get("tags", {}).items()]
