"""Where weights are found, what bytes are accepted, and what that makes of a revision."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mirpipe import registry
from mirpipe.errors import Unavailable
from mirpipe.models import weight_files
from mirpipe.settings import settings
from mirpipe.specs import WeightFile
from tests.support.fake_plugins import add_fakes

FILE = WeightFile("somebody/model", "abc123", "model.bin", megabytes=1, sha256=None)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    add_fakes(monkeypatch, "encoders")
    settings.cache_clear()


def put(folder: Path, content: bytes = b"weights", file: WeightFile = FILE) -> Path:
    path = folder / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_into_cache(cache: Path, content: bytes) -> Path:
    snapshot = cache / "models--somebody--model" / "snapshots" / FILE.commit
    snapshot.mkdir(parents=True)
    (snapshot / FILE.filename).write_bytes(content)
    return snapshot / FILE.filename


def pinned(content: bytes) -> WeightFile:
    return replace(FILE, sha256=hashlib.sha256(content).hexdigest())


def require(file: WeightFile = FILE) -> weight_files.Checked:
    return weight_files.require(file, remedy="fetch it")


def test_missing_weights_name_the_file_its_size_and_the_remedy() -> None:
    with pytest.raises(Unavailable, match=r"somebody/model/model\.bin \(1 MB\).*fetch it") as error:
        require()
    assert error.value.reason == "weights_missing"


def test_the_folder_is_read_before_the_hubs_cache(tmp_path: Path) -> None:
    cached = put_into_cache(tmp_path / "cache", b"weights")
    assert require().path == cached
    kept = put(tmp_path / "models", b"weights")
    assert require().path == kept


def test_another_commit_in_the_hubs_cache_is_not_the_file(tmp_path: Path) -> None:
    put_into_cache(tmp_path / "cache", b"cached")
    assert weight_files.find(replace(FILE, commit="def456")) is None


def test_weights_that_are_not_the_published_bytes_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "models", b"other")
    with pytest.raises(Unavailable, match=str(path)) as error:
        require(pinned(b"published"))
    assert error.value.reason == "weights_refused"
    put(tmp_path / "models", b"published")
    assert require(pinned(b"published")).path == path


def test_without_a_published_hash_the_first_bytes_are_held_to(tmp_path: Path) -> None:
    put(tmp_path / "models", b"first")
    first = require()
    put(tmp_path / "models", b"second")
    with pytest.raises(Unavailable, match="is not somebody/model"):
        require()
    put(tmp_path / "models", b"first")
    assert require() == first


def test_bytes_that_change_under_the_same_size_are_noticed(tmp_path: Path) -> None:
    path = put(tmp_path / "models", b"first")
    require()
    path.write_bytes(b"other")
    os.utime(path, ns=(0, 0))
    with pytest.raises(Unavailable):
        require()


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "models")
    known = require()
    monkeypatch.delattr("mirpipe.models.file_hash_cache.file_hash.sha256")
    assert require() == known


def test_a_stand_in_comes_first_and_makes_the_spec_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "models", b"real", _checkpoint())
    real = registry.ENCODERS.spec("wanting")
    assert real.checkpoint == "wanting.bin"

    put(tmp_path / "stand_ins", b"random", _checkpoint())
    monkeypatch.setenv("MIRPIPE_STAND_INS", str(tmp_path / "stand_ins"))
    settings.cache_clear()
    spec = registry.ENCODERS.spec("wanting")
    assert spec.checkpoint == "wanting.bin (random)"
    assert spec.licence_weights == "none (random)"
    assert registry.revision(spec) != registry.revision(real)


def test_the_bytes_of_the_weights_are_part_of_the_revision(tmp_path: Path) -> None:
    path = put(tmp_path / "models", b"one", _checkpoint())
    one = registry.ENCODERS.spec("wanting")
    assert one.checkpoint_sha256 == hashlib.sha256(b"one").hexdigest()
    (tmp_path / "home/trusted_weights.json").unlink()
    path.write_bytes(b"another")
    another = registry.ENCODERS.spec("wanting")
    assert registry.revision(another) != registry.revision(one)


def test_a_plug_in_is_loaded_with_its_files_and_with_those_for_text_where_they_are(
    tmp_path: Path,
) -> None:
    checkpoint = put(tmp_path / "models", b"one", _checkpoint())
    files = registry.ENCODERS.load("wanting").runtime.files  # type: ignore[attr-defined]
    assert dict(files) == {_checkpoint(): checkpoint}
    words = put(tmp_path / "models", b"words", _words())
    files = registry.ENCODERS.load("wanting").runtime.files  # type: ignore[attr-defined]
    assert dict(files) == {_checkpoint(): checkpoint, _words(): words}


def _checkpoint() -> WeightFile:
    return registry.ENCODERS.needs("wanting").weights[0]


def _words() -> WeightFile:
    return registry.ENCODERS.needs("wanting").text_weights[0]
