"""Tests for weight files: their lookup, their verification and their effect on revisions."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mirpipe import registry
from mirpipe.errors import Unavailable
from mirpipe.models import weight_download, weight_files, weight_verification
from mirpipe.settings import settings
from mirpipe.specs import WeightFile
from tests.support.fake_plugins import add_fakes

FILE = WeightFile("somebody/model", "abc123", "model.bin", megabytes=1, sha256=None)


@pytest.fixture(autouse=True)
def _folders_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    add_fakes(monkeypatch, "encoders")
    settings.cache_clear()


def write_weights(folder: Path, content: bytes = b"weights", file: WeightFile = FILE) -> Path:
    """Write a weight file into a weights folder and return its path."""
    path = folder / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write_into_hub_cache(cache: Path, content: bytes) -> Path:
    """Write FILE into the hub's cache and return its path."""
    snapshot = cache / "models--somebody--model" / "snapshots" / FILE.commit
    snapshot.mkdir(parents=True)
    (snapshot / FILE.filename).write_bytes(content)
    return snapshot / FILE.filename


def with_published_sha256(content: bytes) -> WeightFile:
    """Return FILE with the SHA-256 of `content` as published SHA-256."""
    return replace(FILE, sha256=hashlib.sha256(content).hexdigest())


def trust(content: bytes, file: WeightFile = FILE) -> None:
    """Record these bytes as the first copy of the file, which the user trusts."""
    weight_verification.trust(file, hashlib.sha256(content).hexdigest())


def verified(file: WeightFile = FILE) -> weight_files.VerifiedWeights:
    """Return the verified file."""
    return weight_files.verified_weights([file], plugin="model")[file]


def test_the_error_for_missing_weights_names_file_size_and_remedy() -> None:
    message = r"somebody/model/model\.bin \(1 MB\).*mirpipe models pull model"
    with pytest.raises(Unavailable, match=message) as error:
        verified()
    assert error.value.reason == "weights_missing"


def test_the_error_for_several_missing_files_names_their_total_size(tmp_path: Path) -> None:
    files = [replace(FILE, filename=name, megabytes=mb) for name, mb in (("a", 1), ("b", 3999))]
    with pytest.raises(Unavailable) as error:
        weight_files.verified_weights([*files, FILE], plugin="model")
    assert error.value.problem == (
        "3 weight files (4.0 GB in all), such as somebody/model/a, are missing"
    )
    write_weights(tmp_path / "models", file=files[1])
    with pytest.raises(Unavailable, match=r"2 weight files \(2 MB in all\)"):
        weight_files.verified_weights([*files, FILE], plugin="model")


def test_the_error_of_a_plug_in_names_the_total_size_of_its_weights() -> None:
    with pytest.raises(Unavailable) as error:
        registry.CAPTIONERS.interpreter("qwen2_audio")
    assert str(error.value) == (
        "11 weight files (16.8 GB in all), such as Qwen/Qwen2-Audio-7B-Instruct/config.json, are "
        "missing: run `mirpipe models pull qwen2_audio`"
    )


def test_the_folder_of_weights_comes_before_the_hub_cache(tmp_path: Path) -> None:
    trust(b"weights")
    cached = write_into_hub_cache(tmp_path / "cache", b"weights")
    assert verified().path == cached
    in_folder = write_weights(tmp_path / "models", b"weights")
    assert verified().path == in_folder


def test_another_commit_in_the_hub_cache_is_ignored(tmp_path: Path) -> None:
    write_into_hub_cache(tmp_path / "cache", b"cached")
    assert weight_files.find_weights(replace(FILE, commit="def456")) is None


def test_weights_with_another_sha256_than_published_are_refused(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "models", b"other")
    with pytest.raises(Unavailable, match=str(path)) as error:
        verified(with_published_sha256(b"published"))
    assert error.value.reason == "weights_refused"
    write_weights(tmp_path / "models", b"published")
    assert verified(with_published_sha256(b"published")).path == path


def test_without_a_published_sha256_a_file_is_used_only_after_the_user_confirms_it(
    tmp_path: Path,
) -> None:
    write_weights(tmp_path / "models", b"first")
    with pytest.raises(Unavailable, match="mirpipe models pull model") as error:
        verified()
    assert error.value.reason == "weights_unconfirmed"
    weight_download.fetch(FILE, plugin="model", trust_first_copy=True)
    assert verified().sha256 == hashlib.sha256(b"first").hexdigest()


def test_later_copies_must_equal_the_trusted_first_copy(tmp_path: Path) -> None:
    trust(b"first")
    write_weights(tmp_path / "models", b"first")
    first = verified()
    write_weights(tmp_path / "models", b"second")
    with pytest.raises(Unavailable, match=r"is not the file somebody/model.*trusted on") as error:
        verified()
    assert str(tmp_path / "models" / weight_verification.RECORD) in error.value.remedy
    with pytest.raises(Unavailable, match="is not the file somebody/model"):
        weight_download.fetch(FILE, plugin="model", trust_first_copy=True)
    write_weights(tmp_path / "models", b"first")
    assert verified() == first


def test_changed_bytes_of_the_same_size_are_detected(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "models", b"first")
    trust(b"first")
    verified()
    path.write_bytes(b"other")
    os.utime(path, ns=(0, 0))
    with pytest.raises(Unavailable):
        verified()


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_weights(tmp_path / "models")
    trust(b"weights")
    first = verified()
    monkeypatch.delattr("mirpipe.models.file_hash_cache.file_hash.sha256")
    assert verified() == first


def test_random_weights_come_first_and_mark_the_spec_as_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(tmp_path / "models", b"real", _checkpoint())
    trust(b"real", _checkpoint())
    real = registry.ENCODERS.spec("wanting")
    assert real.checkpoint == "wanting.bin"

    write_weights(tmp_path / "random", b"random", _checkpoint())
    monkeypatch.setenv("MIRPIPE_STAND_INS", str(tmp_path / "random"))
    settings.cache_clear()
    spec = registry.ENCODERS.spec("wanting")
    assert spec.checkpoint == "wanting.bin (random)"
    assert spec.licence_weights == "none (random)"
    assert spec.is_random
    assert registry.revision(spec) != registry.revision(real)


def test_the_bytes_of_the_weights_are_part_of_the_revision(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "models", b"one", _checkpoint())
    trust(b"one", _checkpoint())
    one = registry.ENCODERS.spec("wanting")
    assert one.checkpoint_sha256 == hashlib.sha256(b"one").hexdigest()
    trust(b"another", _checkpoint())
    path.write_bytes(b"another")
    another = registry.ENCODERS.spec("wanting")
    assert registry.revision(another) != registry.revision(one)


def test_a_plugin_gets_its_weights_and_its_text_weights_if_they_exist(tmp_path: Path) -> None:
    checkpoint = write_weights(tmp_path / "models", b"one", _checkpoint())
    trust(b"one", _checkpoint())
    files = registry.ENCODERS.load("wanting").runtime.files  # type: ignore[attr-defined]
    assert dict(files) == {_checkpoint(): checkpoint}
    words = write_weights(tmp_path / "models", b"words", _words())
    trust(b"words", _words())
    files = registry.ENCODERS.load("wanting").runtime.files  # type: ignore[attr-defined]
    assert dict(files) == {_checkpoint(): checkpoint, _words(): words}


def _checkpoint() -> WeightFile:
    return registry.ENCODERS.needs("wanting").weights[0]


def _words() -> WeightFile:
    return registry.ENCODERS.needs("wanting").text_weights[0]
