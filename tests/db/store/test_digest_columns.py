"""Every column of every table is in the content digest, or is left out for a stated reason."""

from sqlalchemy import Connection, text

from mirpipe.db.store.content_digest import CONTENT
from tests.support.databases import Database

BY_OTHER = "The digest identifies the same content by names and content hashes."
DERIVED = "It follows from another column that is in the digest."
ENTERED = "It comes from people, and from the command that asked them, and not from the library."
HISTORY = "It depends on the order or the number of past changes, and not on the content."
ORIGIN = "It states how and when a result was computed."
PLACE = "It depends on the folder, the file system or the version of the views."
ROUNDING = "Its last bits depend on the order of the additions. `mirpipe verify` recomputes it."

LEFT_OUT = {
    "background_member": {"encoder_id": ROUNDING, "track_id": ROUNDING},
    "background_moment": dict.fromkeys(["encoder_id", "n", "vector_sum", "outer_sum"], ROUNDING),
    "caption": dict.fromkeys(
        ["device", "versions", "took_seconds", "peak_memory_bytes", "written_at"], ORIGIN
    ),
    "caption_embedding": dict.fromkeys(["device", "versions", "written_at"], ORIGIN),
    "captioner": dict.fromkeys(["spec", "created_at", "unwanted_at"], ORIGIN),
    "embedding": {"collection": BY_OTHER, "batch_id": ORIGIN},
    "embedding_batch": dict.fromkeys(
        [
            *("batch_id", "encoder_id", "device", "versions", "tracks", "seconds", "written_at"),
            *("is_imported", "peak_memory_bytes"),
        ],
        ORIGIN,
    ),
    "embedding_change": dict.fromkeys(["encoder_id", "track_id", "previous"], HISTORY),
    "encoder": dict.fromkeys(["spec", "created_at", "unwanted_at"], ORIGIN),
    "excerpt_embedding": {"batch_id": ORIGIN},
    "failure": {"message": ORIGIN, "attempts": HISTORY, "first_seen": ORIGIN, "last_seen": ORIGIN},
    "fingerprint": {"codes": DERIVED},
    "fingerprint_change": {"track_id": HISTORY},
    "folder_encoding": dict.fromkeys(["folder", "folder_text", "encoding"], PLACE),
    "gate_notice": dict.fromkeys(["gate", "verdict", "announced_at"], HISTORY),
    "gate_verdict": dict.fromkeys(
        [
            *("gate", "run_id", "rule", "number", "kind", "verdict", "value", "low", "high"),
            *("at_least", "at_most", "n", "detail", "judged_at", "judgement"),
        ],
        HISTORY,
    ),
    "generation": dict.fromkeys(
        ["device", "versions", "took_seconds", "peak_memory_bytes", "made_at"], ORIGIN
    )
    | {"generation_id": BY_OTHER, "track_id": BY_OTHER},
    "generator": dict.fromkeys(["spec", "created_at", "unwanted_at"], ORIGIN),
    "label_change": dict.fromkeys(
        ["label_change_id", "track_id", "title", "labels", "changed_at", "run_id"], HISTORY
    ),
    "listener": dict.fromkeys(
        ["listener_id", "listening_test_id", "number", "token_sha256", "consented_at"], ENTERED
    ),
    "listening_question": dict.fromkeys(
        [
            *("question_id", "listening_test_id", "sheet", "number", "criterion", "control"),
            *("target_id", "first_id", "second_id", "first_subject", "second_subject"),
        ],
        ENTERED,
    ),
    "listening_result": dict.fromkeys(
        [
            *("listening_test_id", "votes_n", "last_vote_at", "computed_run", "computed_at"),
            "results",
        ],
        ENTERED,
    ),
    "listening_test": dict.fromkeys(
        [
            *("listening_test_id", "name", "kind", "run_id", "seed", "options", "sheets"),
            *("excerpt_seconds", "min_controls", "consent", "created_at"),
        ],
        ENTERED,
    ),
    "map": {"spread_x": ROUNDING, "spread_y": ROUNDING},
    "map_point": {"x": ROUNDING, "y": ROUNDING},
    "metric": dict.fromkeys(["spec", "created_at", "unwanted_at"], ORIGIN),
    "neighbour_change": dict.fromkeys(
        ["run_id", "encoder_name", "target_id", "previous_reference_id", "reference_id", "cause"],
        HISTORY,
    ),
    "neighbour_state": dict.fromkeys(
        ["encoder_id", "target_id", "horizon_cosine", "horizon_sha256"], HISTORY
    ),
    "pair_input_change": {"changed_at": HISTORY},
    "revision_comparison": dict.fromkeys(
        [
            *("kind", "name", "old_revision", "new_revision", "verdict", "margins", "sentences"),
            "compared_at",
        ],
        HISTORY,
    ),
    "run": dict.fromkeys(
        [
            *("finished_at", "confirmed_at", "trigger", "same_recording_counts", "ranked_targets"),
            *("rankings_run_id", "rankings_library_digest", "rankings_method_digest"),
            *("primary_retrieval_metric", "primary_generation_metric"),
        ],
        ORIGIN,
    )
    | {"state_digest": HISTORY, "library": BY_OTHER},
    "schema_file": {"path": PLACE, "sha256": PLACE},
    "score_batch": dict.fromkeys(
        ["batch_id", "device", "versions", "tracks", "seconds", "written_at"], ORIGIN
    ),
    "served_neighbour": {"from_run": HISTORY},
    "shown_clip": dict.fromkeys(["generation_id", "from_run", "to_run"], HISTORY),
    "track": dict.fromkeys(["first_seen", "changed_at", "content_kind", "labels_from"], ORIGIN)
    | dict.fromkeys(["genres", "silent_share"], DERIVED),
    "track_file": dict.fromkeys(
        [
            "path",
            "path_text",
            "bytes",
            "mtime_ns",
            "ctime_ns",
            "etag",
            "seen_at",
            "file_sha256",
            "manifest_row",
            "tags",
            "undecoded_tags",
            "tag_encoding",
            "tag_encoding_guessed",
        ],
        PLACE,
    ),
    "track_score": {"batch_id": ORIGIN},
    "unsettled_track": {"track_id": HISTORY},
    "vote": dict.fromkeys(
        ["listener_id", "position", "question_id", "is_swapped", "answer", "answered_at"], ENTERED
    ),
}
"""Columns that no query of the digest reads, by table, each with the reason."""

WHOLE_ROWS = {
    f"published_{name}" for name in ("retrieval", "generation", "summary", "change", "claim")
}
"""Tables whose complete rows are in the digest."""

# A query may read views, so the columns that these views read are included.
_COLUMNS_OF_VIEW = text("""
    WITH RECURSIVE reader (view, relation, attribute) AS (
        SELECT r.ev_class, d.refobjid, d.refobjsubid
        FROM pg_rewrite r JOIN pg_depend d
            ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    ), used (relation, attribute) AS (
        SELECT relation, attribute FROM reader WHERE view = to_regclass('pg_temp.digest_query')
        UNION SELECT r.relation, r.attribute FROM used u JOIN reader r ON r.view = u.relation
    )
    SELECT c.relname, a.attname FROM used u JOIN pg_class c ON c.oid = u.relation
    JOIN pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.attribute
    WHERE c.relkind IN ('r', 'p')
""")
_ALL_COLUMNS = text("""
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
""")


def columns_read(connection: Connection, query: str) -> set[tuple[str, str]]:
    """Return the tables and columns that a query reads."""
    width = len(connection.execute(text(query)).keys())
    names = ", ".join(f"c{number}" for number in range(width))
    connection.execute(text(f"CREATE TEMP VIEW digest_query ({names}) AS {query}"))
    columns = {(row[0], row[1]) for row in connection.execute(_COLUMNS_OF_VIEW)}
    connection.execute(text("DROP VIEW digest_query"))
    return columns


def test_every_column_is_in_the_digest_or_left_out_for_a_reason(fresh_database: Database) -> None:
    with fresh_database.owner.connect() as connection:
        read = set().union(*(columns_read(connection, query) for query in CONTENT.values()))
        existing = {(row[0], row[1]) for row in connection.execute(_ALL_COLUMNS)}
    for table in WHOLE_ROWS:
        assert f"p::text FROM mirpipe.{table} p" in CONTENT["published"]
    not_read = {column for column in existing - read if column[0] not in WHOLE_ROWS}
    left_out = {(table, column) for table, reasons in LEFT_OUT.items() for column in reasons}
    assert not_read == left_out
