"""Facts about usable files, and the reasons for which other files are rejected."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mirpipe.audio import read_audio_facts
from mirpipe.errors import RejectedInput
from tests.support import encoded_audio, hostile_files

BROKEN = list(hostile_files.broken_files())


@pytest.mark.parametrize(("name", "content", "reason"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_a_broken_file_is_rejected_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RejectedInput) as rejected:
        read_audio_facts(tmp_path / name)
    assert rejected.value.reason == reason
    assert name in str(rejected.value)


def test_usable_files_of_every_format_with_difficult_names_are_accepted(tmp_path: Path) -> None:
    for path in hostile_files.write_good(tmp_path):
        facts = read_audio_facts(path)
        assert facts.seconds == pytest.approx(2.0, abs=0.15), path
        assert -30 < facts.rms_dbfs < -10, path
        assert 0.1 < facts.peak < 0.6, path


def test_facts_are_computed_from_the_samples(tmp_path: Path) -> None:
    samples = encoded_audio.music(3.0, channels=2) + np.float32(0.25)
    path = tmp_path / "offset.wav"
    path.write_bytes(encoded_audio.encode("WAV", samples, subtype="FLOAT"))
    facts = read_audio_facts(path)
    mono = samples.astype(np.float64).mean(axis=1)
    assert (facts.seconds, facts.sample_rate, facts.channels) == (3.0, encoded_audio.RATE, 2)
    assert facts.format == "WAV"
    assert facts.rms_dbfs == pytest.approx(20 * math.log10(mono.std()), abs=1e-6)
    assert facts.peak == np.abs(samples).max()


def test_a_path_may_be_bytes(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.wav"
    Path(os.fsdecode(path)).write_bytes(encoded_audio.encode("WAV"))
    assert read_audio_facts(path).seconds == 2.0


def test_wrong_sizes_in_headers_use_no_memory(tmp_path: Path) -> None:
    hostile_files.write_broken(tmp_path)
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mirpipe.audio import read_audio_facts\n"
        "from mirpipe.errors import RejectedInput\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: read_audio_facts(path); print('accepted', path)\n"
        "    except RejectedInput: pass\n"
        "print((peak() - before) // 1024)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(process.stdout) < 100, "MiB"
