"""Printed results: tables are aligned in any script, and titles cannot control the terminal."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len
from rich.table import Table

from mirpipe.cli import result_tables
from mirpipe.db import queries

NO_SAME_RECORDINGS = queries.SameRecordings(0, 0, counts=False, not_compared_n=0)


def match(**values: Any) -> queries.Match:
    return queries.Match(
        **{
            "encoder": "signal",
            "rank": 1,
            "target_id": 1,
            "target": "茉莉花（笛子）",
            "reference_id": 2,
            "reference": "West",
            "reference_labels": {},
            "relation": None,
            "counted_rank": 1,
            "cosine": 0.5,
            "z": 1.25,
            "percentile": 99.0,
            "melody_accuracy": 0.125,
            "melody_reason": None,
            "melodic": True,
            "target_voiced": True,
            "reference_voiced": True,
            **dict.fromkeys(("melody_corrected", "melody_null95", "melody_oti")),
            **dict.fromkeys(("melody_oti_null95", "aligned_melody", "clap_similarity")),
            **dict.fromkeys(("melody_shifted", "melody_offset")),
            "clap_similarity_random": False,
            **values,
        }
    )


def summary(metric: str, mean: float | None, *, random: bool = False) -> queries.RetrievalSummary:
    return queries.RetrievalSummary("signal", metric, 3, 0, mean, mean and 0.25, "none", random)


def printed(
    monkeypatch: pytest.MonkeyPatch,
    summaries: list[queries.RetrievalSummary],
    matches: list[queries.Match] | None = None,
    generated: list[queries.GenerationSummary] | None = None,
    distances: list[queries.SetDistance] | None = None,
    found: queries.SameRecordings = NO_SAME_RECORDINGS,
) -> str:
    monkeypatch.setattr(queries, "retrieval_summaries", lambda: summaries)
    monkeypatch.setattr(queries, "same_recordings", lambda: found)
    monkeypatch.setattr(queries, "ranking_measurement_sentences", str)
    monkeypatch.setattr(queries, "latest_run", lambda: None)
    monkeypatch.setattr(queries, "encoder_revisions", list)
    monkeypatch.setattr(queries, "best_matches", lambda **_: matches or [])
    monkeypatch.setattr(queries, "generation_summaries", lambda: generated or [])
    monkeypatch.setattr(queries, "set_distances", lambda: distances or [])
    monkeypatch.setattr(queries, "mode_comparisons", list)
    monkeypatch.setattr(queries, "encoder_comparisons", list)
    monkeypatch.setattr(queries, "choice_sentences", lambda *_: [])
    monkeypatch.setattr(result_tables, "ranking_table", lambda: Table("RANKINGS"))
    file = io.StringIO()
    result_tables.print_results(file)
    return file.getvalue()


def test_wide_characters_keep_the_columns_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, [summary("cosine", 0.5)], [match(), match(target="plain")])
    rows = [line for line in text.splitlines() if "West" in line or "best match" in line]
    assert len({cell_len(line) for line in rows}) == 1
    assert len({cell_len(line[: line.index("West")]) for line in rows if "West" in line}) == 1


def test_a_title_with_control_characters_is_printed_as_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hostile = match(target="[red]\x1b[2Ja\nb\udcff", reference="[link=x]y[/link]")
    text = printed(monkeypatch, [summary("cosine", 0.5)], [hostile])
    assert "[red]�[2Ja�b�" in text
    assert "[link=x]y[/link]" in text
    assert "\x1b" not in text


def test_numbers_without_a_meaning_are_not_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = printed(
        monkeypatch,
        [summary("cosine", 0.5), summary("melody_accuracy_melodic", None)],
        [match(melodic=False), match(target_id=3, z=None, melody_accuracy=None, melodic=None)],
    )
    assert "0.500 ± 0.250 (3)" in text
    assert "unpitched" in text
    assert "0.125" not in text


def test_targets_that_are_not_listed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = summary("cosine", 0.5), replace(summary("cosine", 0.5), n=1234)
    assert "with the lowest z" not in printed(monkeypatch, [few], [match()])
    assert "100 of 1,234 targets with the lowest z" in printed(monkeypatch, [many], [match()])


def test_random_weights_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "random weights" in printed(monkeypatch, [summary("cosine", 0.5, random=True)])


def test_without_results_a_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no results yet" in printed(monkeypatch, [])


def test_aesthetics_have_their_own_table_that_marks_the_right_model_as_random(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rated = queries.RetrievalSummary("signal", "aesthetics_pq", 3, 0, 6.5, 0.5, "none", True, True)
    text = printed(monkeypatch, [summary("cosine", 0.5), rated])
    assert "rated from 1 to 10 by a model with random weights" in text
    assert "6.50 ± 0.50 (3)" in text
    assert "signal (random weights)" not in text
    assert "rated from" not in printed(monkeypatch, [summary("cosine", 0.5)])


def test_clips_are_summarised_by_mode_and_guidance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def summaries(mode: str, guidance: float | None, *, random: bool = False) -> list[object]:
        source = ("model" if guidance else "resynth", mode, guidance)
        return [
            queries.GenerationSummary(
                *source, "cosine clap", 3, 6, 0, 0.5, 0.25, "none", random, "none", True
            ),
            queries.GenerationSummary(
                *source, "melody_accuracy", 0, 0, 3, None, None, "none", random, "", False
            ),
        ]

    clips: list[Any] = [*summaries("strong", None), *summaries("strong", 5.0, random=True)]
    text = printed(monkeypatch, [summary("cosine", 0.5)], generated=clips)
    assert "cosine clap (random weights)" in text
    lines = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in text.splitlines()]
    headings = [line[1:] for line in lines]
    assert ["strong", "strong"] in headings
    assert ["no guidance", "guidance 5"] in headings
    assert ["cosine clap (random weights)", *["0.500 ± 0.250 (3)"] * 2] in lines
    assert ["melody accuracy of all pairs", "–", "–"] in lines
    assert "model (random weights)" in text


def test_the_interval_is_printed_below_its_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    certain = queries.RetrievalSummary(
        "signal", "z", 9, 0, 1.5, 0.25, "none", False, low=1.375, high=1.625
    )
    text = printed(monkeypatch, [certain])
    rows = [line for line in text.splitlines() if "±" in line or "[1" in line]
    assert "1.50 ± 0.25 (9)" in rows[1]
    assert "[1.38, 1.62]" in rows[2]


def test_agreement_of_labels_is_printed_first_and_z_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = printed(monkeypatch, [summary("z", 1.5)])
    assert text.index("RANKINGS") < text.index("Best match of each target")
    assert "not how good it is" in text


def test_only_distances_of_enough_clips_are_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def distance(mode: str, value: float, *, is_finding: bool) -> queries.SetDistance:
        return queries.SetDistance(
            *("model", mode, 3.0, "clap", "kad", value, None, is_finding, 50, 93, 1500.0, 1.1),
            *(None, None, "none", False, 1, datetime.now(UTC)),
        )

    distances = [
        distance("medium", 0.125, is_finding=True),
        distance("strong", 0.25, is_finding=False),
    ]
    text = printed(monkeypatch, [summary("cosine", 0.5)], distances=distances)
    assert re.search(r"KAD +. clap +. +0\.1250 \(50\)", text)
    assert "0.25" not in text.partition("KAD")[2]
    assert "KAD" not in printed(monkeypatch, [summary("cosine", 0.5)], distances=distances[1:])


def test_left_out_matches_are_counted_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    matches = [
        match(reference="Copy", relation="same_recording", counted_rank=None),
        match(rank=2),
    ]
    found = queries.SameRecordings(3, 2, counts=False, not_compared_n=0)
    text = printed(monkeypatch, [summary("cosine", 0.5)], matches, found=found)
    sentence = (
        "3 matches are the same recording as their target (2 targets) and are marked and left out "
        "of P@k, MRR, mAP and all averages over matches."
    )
    assert sentence in " ".join(text.split())
    assert "Copy (same recording)" in text
    assert "West (" not in text
