"""Contradictions between measured features and captions that are worded as models word them."""

from dataclasses import replace

import pytest

from mirpipe.music.captions.contradictions import contradictions
from mirpipe.records import Features, Note, TempoCandidate

TUNE = Features(
    tempo_bpm=120.2,
    beat_seconds=(0.5, 1.0),
    meter=4,
    key="C major",
    key_clarity=0.3,
    voiced_fraction=0.95,
    notes=(Note(0, 1, 60, 0.5),),
    onsets_per_second=4.0,
    brightness_hz=1800.0,
    reasons={},
)
DRUMS = replace(
    TUNE, key=None, key_clarity=None, voiced_fraction=0.1, notes=(), reasons={"key": "unpitched"}
)
SLOW = replace(TUNE, tempo_bpm=84.0)
AMBIGUOUS = replace(
    TUNE,
    tempo_bpm=140.0,
    tempo_candidates=(TempoCandidate(70.0, 0.6), TempoCandidate(140.0, 1.0)),
)
WALTZ = replace(TUNE, meter=3)
UNMEASURED = replace(TUNE, tempo_bpm=None, meter=None, key=None, key_clarity=None)
UNCLEAR = replace(TUNE, key_clarity=0.01)


@pytest.mark.parametrize(
    ("caption", "features", "lines"),
    [
        (
            "The tempo of this song is 84.5 BPM, and it is in the key of A minor.",
            TUNE,
            (
                "tempo: says 84.5 BPM, measured 120.2",
                "key_relative: says A minor, measured C major (says its relative minor)",
            ),
        ),
        (
            "This is an electric guitar and piano piece with a BPM of 120.",
            DRUMS,
            ("melodic: says electric guitar, piano, measured no pitched notes",),
        ),
        (
            "The music is in F# minor, with a tempo of 60.1 beats per minute.",
            TUNE,
            ("key: says F# minor, measured C major",),
        ),
        ("BPM: 260", TUNE, ("tempo: says 260 BPM, measured 120.2",)),
        ("A 140-bpm track.", TUNE, ("tempo: says 140 BPM, measured 120.2",)),
        (
            "Somewhere between 80 and 90 BPM.",
            TUNE,
            ("tempo: says 80 to 90 BPM, measured 120.2",),
        ),
        ("A slow, mournful ballad.", TUNE, ("speed: says slow, measured 120.2 BPM",)),
        ("A fast-paced chase.", SLOW, ("speed: says fast-paced, measured 84.0 BPM",)),
        ("A waltz in 3/4 time.", TUNE, ("meter: says 3/4, measured 4 beats per bar",)),
        ("It has a 4/4 time signature.", WALTZ, ("meter: says 4/4, measured 3 beats per bar",)),
        (
            "An instrumental piece with drums only.",
            TUNE,
            ("drums: says drums only, measured 95% voiced",),
        ),
        ("A drum solo in G major.", DRUMS, ("key: says G major, measured no pitched notes",)),
        (
            "A female vocalist sings this mellow melody.",
            DRUMS,
            ("melodic: says vocalist, sings, melody, measured no pitched notes",),
        ),
        ("E-flat major at first", TUNE, ("key: says Eb major, measured C major",)),
        ("It sounds like Bb minor.", TUNE, ("key: says Bb minor, measured C major",)),
        ("Emajor, tempo: 120", TUNE, ("key: says E major, measured C major",)),
    ],
)
def test_false_claim_is_reported(caption: str, features: Features, lines: tuple[str, ...]) -> None:
    assert contradictions(caption, features) == lines


@pytest.mark.parametrize(
    ("caption", "features"),
    [
        ("", TUNE),
        ("The tempo is 120.19 bpm and the key is C major.", TUNE),
        ("Around 124 BPM", TUNE),
        ("Between 110 and 130 BPM.", TUNE),
        ("A piece at 84.5 BPM in F# minor, in 3/4.", UNMEASURED),
        ("In F# minor.", UNCLEAR),
        ("It is in B# major.", TUNE),
        ("A major hit of the season. A minor flaw remains.", TUNE),
        ("A drum loop with a steady rock beat, no guitar, piano or vocals.", DRUMS),
        ("Drums without any melody; the bass drum is loud.", DRUMS),
        ("It doesn't have vocals.", DRUMS),
        ("A drum loop under a piano melody.", TUNE),
        ("A slow piece", SLOW),
        ("A piece that is not slow.", TUNE),
        ("Goes from slow to fast.", TUNE),
        ("In 2/4 time, recorded in 1984 on 3 tracks.", TUNE),
        ("Slow and fast, at 500 BPM in H minor.", UNMEASURED),
    ],
)
def test_claim_that_is_true_or_denied_or_not_measured_is_not_reported(
    caption: str, features: Features
) -> None:
    assert contradictions(caption, features) == ()


def test_denial_ends_with_its_clause() -> None:
    caption = "There are no vocals, only a distorted guitar."
    assert contradictions(caption, DRUMS) == ("melodic: says guitar, measured no pitched notes",)


@pytest.mark.parametrize(("bpm", "is_reported"), [(115.5, False), (115.0, True), (125.5, True)])
def test_tempo_may_differ_by_four_percent(bpm: float, is_reported: bool) -> None:
    assert bool(contradictions(f"{bpm} BPM", TUNE)) == is_reported


def test_band_with_transcribed_notes_under_its_drums_may_have_a_guitar() -> None:
    band = replace(TUNE, voiced_fraction=0.4)
    assert contradictions("A rock band with electric guitar.", band) == ()


@pytest.mark.parametrize("caption", ["BPM: 240", "A tempo of 60.1 BPM.", "About 55 to 65 BPM."])
def test_half_and_double_of_the_tempo_do_not_contradict_it(caption: str) -> None:
    assert contradictions(caption, TUNE) == ()


@pytest.mark.parametrize("caption", ["A slow song.", "A fast song."])
def test_a_tempo_with_two_octaves_is_neither_slow_nor_fast(caption: str) -> None:
    assert contradictions(caption, AMBIGUOUS) == ()
