"""The sentence which says how many matches are left out."""

import pytest

from mirpipe.db.queries.same_recordings import SameRecordings, same_recording_sentence


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (SameRecordings(0, 0, counts=False, not_compared_n=0), ""),
        (
            SameRecordings(1, 1, counts=False, not_compared_n=0),
            "1 match is the same recording as its target and is marked and left out of P@k, MRR, "
            "mAP and all averages over matches.",
        ),
        (
            SameRecordings(1_200, 1, counts=True, not_compared_n=2),
            "1,200 matches are the same recording as their target (1 target). Such matches are "
            "marked and count in P@k, MRR, mAP and all averages over matches "
            "(MIRPIPE_SAME_RECORDING_COUNTS). 2 tracks have not been compared with the others yet; "
            "the next `mirpipe run` does this.",
        ),
    ],
)
def test_sentence_says_how_many_matches_are_left_out(found: SameRecordings, expected: str) -> None:
    assert same_recording_sentence(found) == expected
