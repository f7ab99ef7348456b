"""The view of the best matches ranks by cosine, and equal cosines by content hash."""

from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256

COSINES = [0.9, 0.9, 0.8, 0.7, 0.7, 0.7, 0.6, 0.56, 0.55, *[0.5] * 8, 0.4]


def test_the_ten_best_matches_are_ranked_by_cosine_and_then_by_content_hash(
    fresh_database: Database,
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    target, other = library.add("target", "t"), library.add("target", "other")
    for number, cosine in enumerate(COSINES):
        reference = library.add("reference", number)
        for target_id, value in ((target, cosine), (other, 1 - cosine)):
            library.execute(
                "INSERT INTO mirpipe.neighbour (encoder_id, target_id, reference_id, cosine) "
                "VALUES (:encoder_id, :target_id, :reference_id, :cosine)",
                encoder_id=library.encoder_id,
                target_id=target_id,
                reference_id=reference,
                cosine=value,
            )
    expected = sorted((-cosine, sha256(number)) for number, cosine in enumerate(COSINES))
    found = library.rows(
        "SELECT -cosine, content_sha256 FROM mirpipe.top_neighbour "
        "JOIN mirpipe.track ON track_id = reference_id WHERE target_id = :target ORDER BY rank",
        target=target,
    )
    assert [(cosine, bytes(digest)) for cosine, digest in found] == expected[:10]
    counts = library.rows("SELECT count(*) FROM mirpipe.top_neighbour GROUP BY target_id")
    assert counts == [(10,), (10,)]
