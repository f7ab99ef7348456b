"""Finding targets by name: errors for ambiguous names and for references."""

import pytest

from mirpipe.db.queries import find_tracks
from mirpipe.errors import ConfigurationError
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


def test_an_ambiguous_name_lists_the_ids_of_the_first_targets(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    ids = [library.add("target", number, title=f"Reel {number:02d}") for number in range(22)]
    with pytest.raises(ConfigurationError) as error:
        find_tracks.target_id_by_name("reel")
    lines = str(error.value).splitlines()
    assert lines[0] == "'reel' matches 22 targets. Give the id of one:"
    assert lines[1:-1] == [f"  {ids[number]}  Reel {number:02d}" for number in range(20)]
    assert lines[-1] == "  and 2 more"
    assert find_tracks.target_id_by_name("Reel 07") == ids[7]


def test_references_are_no_targets(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "west", title="West")
    with pytest.raises(ConfigurationError, match="There is no usable target 'West'"):
        find_tracks.target_id_by_name("West")
