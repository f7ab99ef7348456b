"""Statements that insert a listening test of two modes, with the votes of many listeners."""

NAME = "benchmark"
STATEMENTS = (
    f"""
    INSERT INTO listening_test (name, kind, run_id, seed, options, sheets, excerpt_seconds,
        min_controls, consent)
    SELECT '{NAME}', 'clips', max(run_id), 0, '{{}}', 1, 10, 0.5, 'A consent.' FROM run
    """,
    """
    INSERT INTO listening_question (listening_test_id, sheet, number, criterion, target_id,
        first_id, second_id, first_subject, second_subject)
    SELECT listening_test_id, 0, row_number() OVER (ORDER BY a.target_id) - 1, 'similarity',
        a.target_id, a.track_id, b.track_id, 'maker simple 2', 'maker strong 5'
    FROM listening_test CROSS JOIN generation a JOIN generation b USING (target_id)
    WHERE a.mode = 'simple' AND b.mode = 'strong' ORDER BY a.target_id LIMIT 200
    """,
    """
    INSERT INTO listener (listening_test_id, number, token_sha256, consented_at)
    SELECT listening_test_id, n, sha256(convert_to(n::text, 'UTF8')), now()
    FROM listening_test CROSS JOIN generate_series(0, 19) n
    """,
    """
    INSERT INTO vote (listener_id, position, question_id, is_swapped, answer, answered_at)
    SELECT listener_id, q.number, question_id, false,
        (l.number + q.number) % 3 - 1, now()
    FROM listener l JOIN listening_question q USING (listening_test_id)
    """,
)
"""They follow the statements of page_rows.py."""
