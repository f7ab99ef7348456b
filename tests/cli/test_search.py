"""Tests for `mirpipe search`: matches, finding the track of a query, and error messages."""

import json
import re

import numpy as np
import pytest
import soundfile
from rich.cells import cell_len
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.settings import settings
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.fake_plugins import add_fakes
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def library(fresh_database):
    return SyntheticLibrary(fresh_database.app)


@pytest.fixture
def tiny(fresh_database, monkeypatch, tmp_path):
    """Embed ten tones with the fake encoder, and return their folder."""
    add_fakes(monkeypatch, "encoders")
    tones(tmp_path / "references", [100.0 * n for n in range(1, 11)])
    ingest_folder(tmp_path / "references", "reference")
    embed_stage.embed(["tiny"], batch_tracks=64)
    return tmp_path


def search(*arguments: object, encoder: str = "made_up"):
    return CliRunner().invoke(app, ["search", *map(str, arguments), "--encoder", encoder])


def matches(*arguments: object, encoder: str = "made_up") -> list[dict]:
    result = search(*arguments, "--json", encoder=encoder)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["answers"]


def test_search_returns_the_stored_list_even_with_ties_and_equal_content(library):
    rng = np.random.default_rng(1)
    for n in range(60):
        library.add("reference", f"r{n}", rng.integers(-1, 2, 3) + np.array([0, 0, 3]))
    targets = [
        library.add("target", f"t{n}", rng.integers(-1, 2, 3) + np.array([0, 0, 3]))
        for n in range(3)
    ]
    # This target has the same content as a reference.
    targets.append(library.add("target", "r7", [0, 0, 1]))
    retrieve()
    for target in targets:
        stored = library.rows(
            "SELECT rank, reference_id, cosine FROM mirpipe.top_neighbour "
            "WHERE target_id = :target ORDER BY rank",
            target=target,
        )
        hits = [(hit["rank"], hit["track_id"], hit["cosine"]) for hit in matches(target)]
        assert hits == stored
        assert len(hits) == 10


def test_search_orders_references_that_pgvector_cannot_distinguish(fresh_database):
    library = SyntheticLibrary(fresh_database.app, dimension=512)
    rng = np.random.default_rng(2)
    vector = rng.standard_normal(512)
    target = library.add("target", "t", vector)
    for n in range(12):
        library.add("reference", f"r{n}", vector + 1e-6 * rng.standard_normal(512))
    retrieve()
    stored = library.rows(
        "SELECT reference_id FROM mirpipe.top_neighbour WHERE rank <= 3 ORDER BY rank"
    )
    assert [(hit["track_id"],) for hit in matches(target, "-k", 3)] == stored


def test_option_k_sets_the_number_of_matches(library):
    for n in range(30):
        library.add("reference", f"r{n}", [n, 1, 1])
    assert len(matches("r3", "-k", 25)) == 25
    assert len(matches("r3", "-k", 100)) == 29  # All references except the query itself.


@pytest.mark.parametrize(
    "query", ["茉莉花（笛子）", "莉花", "CAFÉ".casefold(), "cafe\N{COMBINING ACUTE ACCENT}", "50%_"]
)
def test_a_track_is_found_by_its_title_or_a_part_of_it(library, query):
    library.add("reference", "ref", [1, 0, 0])
    for content, title in enumerate(("茉莉花（笛子）", "Le Café du Nord", "50%_off")):
        library.add("target", content, [1, 1, content], title=title)
    (hit,) = matches(query)
    assert hit["title"] == "ref"


def test_a_complete_title_is_preferred_to_a_part_of_another_title(library):
    library.add("reference", "ref", [1, 0, 0])
    library.add("target", "a", [1, 1, 0], title="Reel")
    library.add("target", "b", [1, 2, 0], title="Reel in A")
    library.add("target", "c", [1, 3, 0], title="reel")
    assert json.loads(search("Reel", "--json").stdout)["query"]["title"] == "Reel"


def test_an_ambiguous_name_lists_the_tracks_with_their_ids(library):
    ids = [library.add("target", n, [1, n, 0], title=f"Reel {n}") for n in range(2)]
    result = search("reel")
    assert result.exit_code == 2
    for number, track_id in enumerate(ids):
        assert f"{track_id}  target  Reel {number}" in result.output


def test_a_title_of_a_target_and_a_reference_with_equal_content_is_not_ambiguous(library):
    library.add("reference", "other", [1, 1, 0])
    for collection in ("reference", "target"):
        library.add(collection, "same bytes", [1, 0, 0], title="West")
    assert [hit["title"] for hit in matches("West")] == ["other"]


def test_without_an_encoder_the_first_configured_one_with_vectors_is_searched(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add("reference", "ref", [1, 0, 0])
    library.add("target", "t", [1, 1, 0])
    for configured, code in (("signal,made_up", 0), ("signal", 2)):
        monkeypatch.setenv("MIRPIPE_ENCODERS", configured)
        settings.cache_clear()
        result = CliRunner().invoke(app, ["search", "t", "--json"])
        assert result.exit_code == code
    assert "There are no vectors of signal" in result.output
    assert "Encoders with vectors: made_up" in " ".join(result.output.split())


def test_a_part_of_a_title_finds_the_target_and_not_its_clips(library: SyntheticLibrary) -> None:
    library.add("reference", "ref", [1, 0, 0])
    library.add("target", "t", [1, 1, 0], title="Reel in A")
    library.add("generated", "c", [1, 2, 0], title="Reel in A · resynth simple")
    assert json.loads(search("Reel", "--json").stdout)["query"]["title"] == "Reel in A"
    clip = json.loads(search("resynth simple", "--json").stdout)
    assert clip["query"]["title"] == "Reel in A · resynth simple"


def test_unknown_names_are_wrong_usage_and_the_message_lists_known_ones(library):
    library.add("target", "t", [1, 0, 0])
    unknown_track = search("no such thing")
    assert unknown_track.exit_code == 2
    assert (
        "Give a track's id, its title or a part of the title, or the path" in unknown_track.output
    )
    unknown_encoder = search("t", encoder="unknown")
    assert unknown_encoder.exit_code == 2
    assert "made_up" in unknown_encoder.output


def test_the_error_about_a_missing_vector_names_the_remedy(library):
    library.add("target", "t")
    result = search("t")
    assert result.exit_code == 1
    assert "mirpipe embed --encoder made_up" in str(result.exception)


def test_a_file_outside_the_library_is_embedded_for_the_search(tiny):
    hits = matches(tone(tiny / "-outside.wav", 510), "-k", 3, encoder="tiny")
    assert [hit["title"] for hit in hits] == ["500 Hz", "600 Hz", "400 Hz"]


def test_a_file_inside_the_library_is_not_embedded_and_not_its_own_match(tiny, monkeypatch):
    monkeypatch.delattr(embed_stage, "embed_file")
    copy = tiny / "moved.wav"
    copy.write_bytes((tiny / "references" / "500 Hz.wav").read_bytes())
    hits = matches(copy, "-k", 20, encoder="tiny")
    assert len(hits) == 9
    assert "500 Hz" not in {hit["title"] for hit in hits}


def test_an_unusable_file_is_rejected_with_its_reason(tiny):
    silent = tiny / "silent.wav"
    soundfile.write(silent, np.zeros(16000), 8000)
    result = search(silent, encoder="tiny")
    assert result.exit_code == 3
    assert "Cannot search with silent.wav" in result.output


def test_columns_are_aligned_in_every_script(library):
    for content, title in enumerate(("茉莉花（笛子）", "שיר ערש", "West", "🎵 مقام")):
        library.add("reference", content, [1, content, 0], title=title)
    library.add("target", "t", [1, 1, 1])
    lines = [line for line in search("t").stdout.splitlines() if "│" in line]
    assert len(lines) == 4
    bars = {
        tuple(cell_len(line[:at]) for at, character in enumerate(line) if character == "│")
        for line in lines
    }
    assert len(bars) == 1


def test_the_table_leaves_out_numbers_that_are_not_known_yet(library):
    for number, vector in enumerate(([0, 0, 1], [0, 1, 1], [1, 0, 1])):
        library.add("reference", f"r{number}", vector)
    target = library.add("target", "t", [0, 0.1, 1])
    before = search(target).output
    assert "cosine" in before
    assert not re.search(r"\bz\b|percentile", before)
    retrieve()
    report(trigger="test")
    after = search(target).output
    assert re.search(r"rank .* cosine .* z .* percentile .* reference .* id", after)
