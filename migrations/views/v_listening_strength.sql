CREATE OR REPLACE VIEW v_listening_strength AS
SELECT t.name AS test, t.kind, t.run_id, c.value ->> 'criterion' AS criterion, s.subject, s.wins_n,
    s.losses_n, s.ties_n, s.log_strength, s.low, s.high, s.reason, s.mean_rating, r.computed_at,
    coalesce(s.is_random, false) AS random
FROM listening_result r
JOIN listening_test t USING (listening_test_id)
CROSS JOIN LATERAL jsonb_array_elements(r.results -> 'criteria') c (value)
CROSS JOIN LATERAL jsonb_to_recordset(c.value -> 'subjects')
    s (subject text, wins_n integer, losses_n integer, ties_n integer,
        log_strength double precision, low double precision, high double precision, reason text,
        mean_rating double precision, is_random boolean);

COMMENT ON VIEW v_listening_strength IS 'How often listeners preferred each encoder or mode, by listening test and criterion, without the votes of listeners who failed too many controls.';
COMMENT ON COLUMN v_listening_strength.subject IS 'Encoder, or generator, mode and guidance.';
COMMENT ON COLUMN v_listening_strength.wins_n IS 'Number of votes for the subject.';
COMMENT ON COLUMN v_listening_strength.losses_n IS 'Number of votes for another subject.';
COMMENT ON COLUMN v_listening_strength.ties_n IS 'Number of votes for neither.';
COMMENT ON COLUMN v_listening_strength.log_strength IS 'Natural logarithm of the strength in Davidson''s model. The mean over the subjects is 0.';
COMMENT ON COLUMN v_listening_strength.low IS 'Lower end of the 95% confidence interval of log_strength over listeners.';
COMMENT ON COLUMN v_listening_strength.high IS 'Upper end of the 95% confidence interval of log_strength over listeners.';
COMMENT ON COLUMN v_listening_strength.reason IS 'Code of the reason why there is no strength or no interval: too_few_listeners or not_connected.';
COMMENT ON COLUMN v_listening_strength.mean_rating IS 'Mean rating, from 1 to 5: a mean over targets. NULL if nothing was rated.';
