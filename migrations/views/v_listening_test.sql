CREATE OR REPLACE VIEW v_listening_test AS
SELECT t.listening_test_id, t.name AS test, t.kind, t.run_id, t.created_at,
    coalesce(l.links_n, 0) AS links_n, coalesce(l.listeners_n, 0) AS listeners_n,
    coalesce(l.complete_n, 0) AS complete_n, coalesce(l.votes_n, 0) AS votes_n,
    coalesce(l.asked_n, 0) AS asked_n, l.last_vote_at,
    r.computed_at, r.votes_n AS computed_votes_n,
    r.listening_test_id IS NOT NULL AND r.votes_n = coalesce(l.votes_n, 0)
        AND r.last_vote_at IS NOT DISTINCT FROM l.last_vote_at AS is_current,
    l.first_vote_at
FROM listening_test t
LEFT JOIN (
    SELECT listening_test_id, count(*) AS links_n, count(consented_at) AS listeners_n,
        count(*) FILTER (WHERE votes_n = asked_n) AS complete_n,
        sum(votes_n)::bigint AS votes_n, sum(asked_n)::bigint AS asked_n,
        max(last_vote_at) AS last_vote_at, min(first_vote_at) AS first_vote_at
    FROM listener
    JOIN (
        SELECT listener_id, count(answer) AS votes_n, count(*) AS asked_n,
            max(answered_at) AS last_vote_at, min(answered_at) AS first_vote_at
        FROM vote GROUP BY listener_id) v USING (listener_id)
    GROUP BY listening_test_id) l USING (listening_test_id)
LEFT JOIN listening_result r USING (listening_test_id);

COMMENT ON VIEW v_listening_test IS 'Listening tests, with the number of their links, listeners and votes.';
COMMENT ON COLUMN v_listening_test.links_n IS 'Number of listeners who have a link and have not withdrawn.';
COMMENT ON COLUMN v_listening_test.listeners_n IS 'Number of listeners who have accepted the consent text.';
COMMENT ON COLUMN v_listening_test.complete_n IS 'Number of listeners who have answered all questions.';
COMMENT ON COLUMN v_listening_test.votes_n IS 'Number of votes.';
COMMENT ON COLUMN v_listening_test.asked_n IS 'Number of votes that all listeners with a link can give.';
COMMENT ON COLUMN v_listening_test.first_vote_at IS 'Time of the first vote of all listeners who have not withdrawn. NULL if there is none.';
COMMENT ON COLUMN v_listening_test.last_vote_at IS 'Time of the last vote. NULL if there is none.';
COMMENT ON COLUMN v_listening_test.computed_votes_n IS 'Number of votes from which the results were last computed.';
COMMENT ON COLUMN v_listening_test.is_current IS 'true if the results were computed from all present votes.';
