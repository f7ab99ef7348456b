"""Prints the length, level and outline of an audio file as JSON.

The dashboard runs this module as a process, so that a large or damaged file cannot affect the
server.
"""

import base64
import json
import sys

from mirpipe.audio.audio_facts import read_audio_facts
from mirpipe.files.printable_path import AnyPath


def printed_facts(path: AnyPath) -> str:
    """Return facts about an audio file as a JSON object. Raises as `read_audio_facts` does.

    `outline` contains the lowest and highest sample of each column as signed bytes, in base64.
    """
    facts = read_audio_facts(path)
    return json.dumps(
        {
            "format": facts.format,
            "seconds": facts.seconds,
            "sample_rate": facts.sample_rate,
            "channels": facts.channels,
            "rms_dbfs": facts.silence.sounding_rms_dbfs,
            "silent_share": facts.silence.share,
            "outline": base64.b64encode(facts.outline).decode(),
        }
    )


if __name__ == "__main__":
    print(printed_facts(sys.argv[1]))
