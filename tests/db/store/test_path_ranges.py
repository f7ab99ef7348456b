"""The ranges of a folder contain exactly its files, which an index finds."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from mirpipe.db.store.path_ranges import IN_RANGES, path_ranges
from mirpipe.library.folder_scan import is_inside
from tests.support.databases import Database
from tests.support.query_plans import completely_read

NAMES = st.lists(
    st.sampled_from([b"a", b"ab", b"%", b"\\", b"a.", b"a0", b"\xff", b"!"]), max_size=4
)
PATHS = NAMES.map(lambda names: b"/" + b"/".join(names))


@given(PATHS, PATHS)
def test_a_path_is_in_the_ranges_if_it_is_the_folder_or_inside_it(path: bytes, root: bytes) -> None:
    ranges = path_ranges([root])
    pairs = zip(ranges["lows"], ranges["highs"], strict=True)
    assert any(low <= path < high for low, high in pairs) == is_inside(path, root)


def test_the_files_of_a_small_folder_are_found_without_reading_all_files(
    fresh_database: Database,
) -> None:
    with fresh_database.owner.begin() as owner:
        owner.execute(
            text(
                "INSERT INTO mirpipe.track_file (collection, path, path_text, bytes, mtime_ns) "
                "SELECT 'reference', convert_to('/music/' || n / 100 || '/' || n, 'UTF8'), n, 1, 1 "
                "FROM generate_series(1, 20000) n"
            )
        )
        owner.execute(text("ANALYZE mirpipe.track_file"))
        query = (
            f"SELECT count(*) FROM mirpipe.track_file f {IN_RANGES} AND f.collection = 'reference'"
        )
        roots = path_ranges([b"/music/7", b"/music/8"])
        plan = owner.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {query}", roots).scalar_one()
        assert owner.exec_driver_sql(query, roots).scalar_one() == 200
    assert completely_read(plan) == set()
