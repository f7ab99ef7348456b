"""How far a waiting revision is, in words."""

import pytest

from mirpipe.db.queries.waiting_revisions import Challenger, progress_text


@pytest.mark.parametrize(
    ("kind", "coverage", "expected"),
    [
        ("encoder", 0.95, "95.0% of the tracks embedded"),
        ("generator", 0.0, "0.0% of the clips generated"),
        ("captioner", 0.5, "50.0% of the captions and clips made"),
        ("encoder", None, "nothing to embed"),
        ("captioner", None, "nothing to caption"),
        ("generator", None, "no clips requested"),
    ],
)
def test_undefined_coverage_is_not_shown_as_zero(
    kind: str, coverage: float | None, expected: str
) -> None:
    waiting = Challenger(kind, "name", "new", "old", coverage, False, "", None, [], [], None)
    assert progress_text(waiting) == expected
