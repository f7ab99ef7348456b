"""Every stage reserves the GPU before it loads a model that computes on it."""

import platform
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from mirpipe import registry
from mirpipe.errors import PluginError, Unavailable
from mirpipe.models import device_lease
from mirpipe.settings import settings
from mirpipe.stages import caption, embed, generate, score
from mirpipe.stages.analyse import analyse
from mirpipe.stages.embed.text_query import embed_text
from tests.support.audio_files import ingest_folder, tones
from tests.support.fake_gpu import ON_GPU, add_gpu, compute_on_gpu
from tests.support.fake_plugins import add_fakes

Stage = Callable[[Callable[[str], None], Path], object]
"""Runs a stage. The arguments are the callback for waiting, and the path of an audio file."""

STAGES: dict[str, Stage] = {
    "embed": lambda on_wait, _: embed.embed(["tiny"], batch_tracks=2, on_wait=on_wait).embedded,
    "embed a file": lambda on_wait, path: embed.embed_file("tiny", path, on_wait=on_wait).size,
    "embed a text": lambda on_wait, _: embed_text("wordy", "LOUD", on_wait=on_wait).size,
    "score": lambda on_wait, _: score.score("tasteful", batch_tracks=2, on_wait=on_wait).scored,
    "caption": lambda on_wait, _: caption.caption("echo", on_wait=on_wait).captioned,
    "generate": lambda on_wait, _: generate.generate("beep", on_wait=on_wait).made,
}
RESULTS = {
    "embed": 2,
    "embed a file": 3,
    "embed a text": 2,
    "score": 2,
    "caption": 2,
    "generate": 6,
}


@pytest.fixture
def targets(fresh_database: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two analysed targets. All fake plug-ins compute on the only GPU."""
    add_fakes(monkeypatch, "encoders", "track_metrics", "captioners", "generators")
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "echo")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "beep")
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    tones(tmp_path / "targets", [220, 330])
    ingest_folder(tmp_path / "targets", "target")
    analyse()
    add_gpu(monkeypatch)
    for kind, name in (
        ("encoders", "tiny"),
        ("encoders", "wordy"),
        ("track_metrics", "tasteful"),
        ("captioners", "echo"),
        ("generators", "beep"),
    ):
        compute_on_gpu(monkeypatch, kind, name)
    return tmp_path / "targets"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_waits_for_the_gpu_before_it_loads_its_model(
    targets: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    if stage == "generate":
        caption.caption("echo")
    loaded: list[str] = []
    load = registry.Plugins.load

    def note_and_load(kind: registry.Plugins, name: str) -> object:
        loaded.append(name)
        return load(kind, name)

    monkeypatch.setattr(registry.Plugins, "load", note_and_load)
    is_waiting, results = threading.Event(), list[object]()

    def run() -> None:
        wait = STAGES[stage]
        results.append(wait(lambda _device: is_waiting.set(), targets / "220 Hz.wav"))

    with device_lease.hold_gpu([ON_GPU]):
        thread = threading.Thread(target=run)
        thread.start()
        assert is_waiting.wait(30)
        assert loaded == []
    thread.join(60)
    assert (len(loaded), results) == (1, [RESULTS[stage]])


def test_a_model_cannot_be_loaded_on_a_gpu_that_is_not_reserved(targets: Path) -> None:
    with pytest.raises(PluginError, match="has not reserved"):
        registry.ENCODERS.load("tiny")
    with device_lease.hold_gpu([ON_GPU]):
        assert registry.ENCODERS.load("tiny").device == "cuda"  # type: ignore[attr-defined]


def test_the_cpu_is_shared(targets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_DEVICE", "cpu")
    settings.cache_clear()
    with device_lease.hold_device(ON_GPU), device_lease.hold_gpu([ON_GPU]):
        assert embed.embed(["tiny"], batch_tracks=2).embedded == 2


def test_without_pending_work_no_gpu_is_reserved(targets: Path) -> None:
    embed.embed(["tiny"], batch_tracks=2)
    score.score("tasteful", batch_tracks=2)
    with device_lease.hold_gpu([ON_GPU]):
        assert embed.embed(["tiny"], batch_tracks=2) == embed.EmbedResult()
        assert score.score("tasteful", batch_tracks=2) == score.ScoreResult(0, 0, 0, 0)


@pytest.mark.parametrize(("uuid", "same"), [("5f9c", True), (None, False)])
def test_a_gpu_with_a_uuid_is_the_same_gpu_under_another_host_name(
    targets: Path, monkeypatch: pytest.MonkeyPatch, uuid: str | None, same: bool
) -> None:
    monkeypatch.setattr(
        "torch.cuda.get_device_properties", lambda _name: SimpleNamespace(uuid=uuid)
    )
    held = threading.Event()
    waited = threading.Event()

    def reserve() -> None:
        with device_lease.hold_gpu([ON_GPU], on_wait=lambda _device: waited.set()):
            held.set()

    monkeypatch.setattr(platform, "node", lambda: "first")
    with device_lease.hold_gpu([ON_GPU]):
        monkeypatch.setattr(platform, "node", lambda: "second")
        thread = threading.Thread(target=reserve)
        thread.start()
        assert (waited if same else held).wait(30)
        assert held.is_set() is not same
    thread.join(60)
    assert held.is_set()


def test_a_gpu_that_is_required_but_missing_is_reported_with_a_remedy(
    targets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_DEVICE", "cuda")
    settings.cache_clear()
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(Unavailable, match="MIRPIPE_DEVICE=auto"):
        embed.embed(["tiny"], batch_tracks=2)
