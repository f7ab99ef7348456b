"""The sentence which says how many matches are left out."""

import pytest

from mirpipe.db.queries.same_recordings import SameRecordings, same_recording_sentence


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (SameRecordings(0, 0, counts=False), ""),
        (
            SameRecordings(1, 1, counts=False),
            "1 match is the same recording as its target and is marked and left out of P@k, MRR, "
            "mAP and all averages over matches.",
        ),
        (
            SameRecordings(1_200, 1, counts=True),
            "1,200 matches are the same recording as their target (1 target) and are marked, but "
            "not left out of P@k, MRR, mAP and all averages over matches "
            "(MIRPIPE_SAME_RECORDING_COUNTS).",
        ),
    ],
)
def test_sentence_says_how_many_matches_are_left_out(found: SameRecordings, expected: str) -> None:
    assert same_recording_sentence(found) == expected
