SET LOCAL search_path = mirpipe, public;

-- Intervals ---------------------------------------------------------------------------------------

ALTER TABLE run_summary ADD low double precision, ADD high double precision,
    ADD interval_reason text DEFAULT 'not_computed';
ALTER TABLE run_summary ADD CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL));
COMMENT ON COLUMN run_summary.low IS 'lower end of the 95 % interval of mean: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN run_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN run_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value, or not_computed, in a run of before intervals';

ALTER TABLE run_generation_summary ADD low double precision, ADD high double precision,
    ADD targets_n integer, ADD interval_reason text DEFAULT 'not_computed',
    ADD metric_revision text, ADD metric_licence_weights text, ADD metric_random boolean;
COMMENT ON COLUMN run_generation_summary.metric_revision IS 'of the metric, or of the encoder whose cosine it is';
COMMENT ON COLUMN run_generation_summary.metric_licence_weights IS 'licence of the weights that measured; empty where there are none';
COMMENT ON COLUMN run_generation_summary.metric_random IS 'true: what measured has random weights, the numbers say nothing about music';
ALTER TABLE run_generation_summary
    ADD CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL));
COMMENT ON COLUMN run_generation_summary.low IS 'lower end of the 95 % interval of the mean over targets, each target''s seeds averaged first: percentile bootstrap, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN run_generation_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN run_generation_summary.targets_n IS 'targets behind the interval; n counts clips; NULL in a run of before intervals';
COMMENT ON COLUMN run_generation_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value, or not_computed, in a run of before intervals';

-- By group ----------------------------------------------------------------------------------------

CREATE TABLE run_group_summary (
    run_id bigint NOT NULL REFERENCES run,
    label text NOT NULL,
    value text NOT NULL,
    encoder_id smallint REFERENCES encoder,
    generator_id smallint REFERENCES generator,
    mode text,
    guidance double precision,
    metric text NOT NULL,
    metric_id smallint REFERENCES metric,
    metric_revision text,
    metric_licence_weights text,
    metric_random boolean,
    n integer NOT NULL,
    undefined_n integer NOT NULL,
    targets_n integer NOT NULL,
    unlabelled_n integer NOT NULL,
    mean double precision,
    sd double precision,
    low double precision,
    high double precision,
    interval_reason text,
    UNIQUE NULLS NOT DISTINCT (run_id, encoder_id, generator_id, mode, guidance, metric, label, value),
    CHECK ((encoder_id IS NULL) <> (generator_id IS NULL)),
    CHECK ((generator_id IS NULL) = (mode IS NULL)),
    CHECK ((n = 0) = (mean IS NULL) AND (n = 0) = (sd IS NULL)),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL))
);
COMMENT ON TABLE run_group_summary IS 'The summaries of a run over the targets that share a label''s value: of an encoder''s first answers, or of a generator''s clips in one mode';
COMMENT ON COLUMN run_group_summary.run_id IS 'the run';
COMMENT ON COLUMN run_group_summary.label IS 'a label of the target: genre or instrument';
COMMENT ON COLUMN run_group_summary.value IS 'what the targets of the group have there';
COMMENT ON COLUMN run_group_summary.encoder_id IS 'whose first answers these are; NULL for clips';
COMMENT ON COLUMN run_group_summary.generator_id IS 'whose clips these are; NULL for answers';
COMMENT ON COLUMN run_group_summary.mode IS 'in which mode they were made; NULL for answers';
COMMENT ON COLUMN run_group_summary.guidance IS 'at which guidance; NULL where the generator has none, and for answers';
COMMENT ON COLUMN run_group_summary.metric IS 'as in run_summary and run_generation_summary';
COMMENT ON COLUMN run_group_summary.metric_id IS 'its revision, for answers; NULL where the number is the encoder''s own';
COMMENT ON COLUMN run_group_summary.n IS 'answers or clips with a value';
COMMENT ON COLUMN run_group_summary.undefined_n IS 'answers or clips without';
COMMENT ON COLUMN run_group_summary.targets_n IS 'targets behind the interval';
COMMENT ON COLUMN run_group_summary.unlabelled_n IS 'targets with an answer or clip that carry no such label and are in no group';
COMMENT ON COLUMN run_group_summary.mean IS 'mean over answers or clips; NULL where none has a value';
COMMENT ON COLUMN run_group_summary.sd IS 'population standard deviation over answers or clips';
COMMENT ON COLUMN run_group_summary.low IS 'lower end of the 95 % interval over the group''s targets, as in run_summary';
COMMENT ON COLUMN run_group_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN run_group_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value';

COMMENT ON COLUMN run_group_summary.metric_revision IS 'of the metric, or of the encoder whose cosine it is';
COMMENT ON COLUMN run_group_summary.metric_licence_weights IS 'licence of the weights that measured; empty where there are none';
COMMENT ON COLUMN run_group_summary.metric_random IS 'true: what measured has random weights, the numbers say nothing about music';

-- Comparisons -------------------------------------------------------------------------------------

CREATE TABLE run_comparison (
    run_id bigint NOT NULL REFERENCES run,
    kind text NOT NULL CHECK (kind IN ('retrieval', 'generation')),
    encoder_id smallint REFERENCES encoder,
    than_encoder_id smallint REFERENCES encoder,
    generator_id smallint REFERENCES generator,
    mode text,
    guidance double precision,
    than_mode text,
    than_guidance double precision,
    metric text NOT NULL,
    n integer NOT NULL,
    mean_difference double precision,
    sd double precision,
    low double precision,
    high double precision,
    interval_reason text,
    higher_n integer NOT NULL,
    p double precision CHECK (p > 0 AND p <= 1),
    p_holm double precision CHECK (p_holm >= p AND p_holm <= 1),
    method text CHECK (method IN ('exact', 'permutation')),
    reason text,
    family_n integer NOT NULL,
    licence_weights text NOT NULL,
    random boolean NOT NULL,
    UNIQUE NULLS NOT DISTINCT
        (run_id, encoder_id, than_encoder_id, generator_id, mode, guidance, than_mode, than_guidance, metric),
    CHECK ((kind = 'retrieval') = (encoder_id IS NOT NULL) AND (kind = 'retrieval') = (than_encoder_id IS NOT NULL)),
    CHECK ((kind = 'generation') = (generator_id IS NOT NULL)
        AND (kind = 'generation') = (mode IS NOT NULL) AND (kind = 'generation') = (than_mode IS NOT NULL)),
    CHECK ((n = 0) = (mean_difference IS NULL) AND (n = 0) = (sd IS NULL)),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL)),
    CHECK ((p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL) AND (p IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE run_comparison IS 'Two encoders, or two modes of a generator, compared by one metric, paired over the targets that both have a value for. Every p of one run that belongs to the encoders together, or to one generator, is one family that is corrected after Holm';
COMMENT ON COLUMN run_comparison.run_id IS 'the run';
COMMENT ON COLUMN run_comparison.kind IS 'retrieval: first answers of two encoders; generation: clips of two modes';
COMMENT ON COLUMN run_comparison.encoder_id IS 'the first encoder, the later one by name; NULL for clips';
COMMENT ON COLUMN run_comparison.than_encoder_id IS 'what it is compared with';
COMMENT ON COLUMN run_comparison.generator_id IS 'whose modes are compared; NULL for answers';
COMMENT ON COLUMN run_comparison.mode IS 'the first mode, which holds the model more strongly: conditioned before text alone, then the higher guidance';
COMMENT ON COLUMN run_comparison.guidance IS 'its guidance; NULL where the generator has none';
COMMENT ON COLUMN run_comparison.than_mode IS 'the mode it is compared with';
COMMENT ON COLUMN run_comparison.than_guidance IS 'that one''s guidance';
COMMENT ON COLUMN run_comparison.metric IS 'as in run_summary and run_generation_summary; never the cosine of two encoders, which are not comparable';
COMMENT ON COLUMN run_comparison.n IS 'targets that both have a value for; a target''s seeds are averaged first';
COMMENT ON COLUMN run_comparison.mean_difference IS 'mean over targets of the first one''s value less the other''s; NULL where n is 0';
COMMENT ON COLUMN run_comparison.sd IS 'population standard deviation of the differences';
COMMENT ON COLUMN run_comparison.low IS 'lower end of the 95 % interval of mean_difference: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN run_comparison.high IS 'upper end of that interval';
COMMENT ON COLUMN run_comparison.interval_reason IS 'why there is no interval: no_target or one_target has both values';
COMMENT ON COLUMN run_comparison.higher_n IS 'targets at which the first one has the higher value';
COMMENT ON COLUMN run_comparison.p IS 'two-sided sign-flip test that the differences lie evenly around 0; the smallest possible at n targets is 2 to the power of 1 - n';
COMMENT ON COLUMN run_comparison.p_holm IS 'p after Holm''s correction within its family; below 0.05 the difference counts as established';
COMMENT ON COLUMN run_comparison.method IS 'exact: every one of the 2 to the power of n sign flips, up to n = 20; permutation: that many no longer, but 100,000 drawn with a fixed seed';
COMMENT ON COLUMN run_comparison.reason IS 'why there is no p: no_target has both values';
COMMENT ON COLUMN run_comparison.family_n IS 'tests in the family that p_holm is corrected for';
COMMENT ON COLUMN run_comparison.licence_weights IS 'licences of the weights behind the numbers';
COMMENT ON COLUMN run_comparison.random IS 'true: random weights made a number, the comparison says nothing about music';

-- What readers see: the latest run ----------------------------------------------------------------

CREATE OR REPLACE VIEW v_retrieval_summary AS
SELECT e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.undefined_n,
    e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    u.run_id, n.finished_at, m.revision AS metric_revision,
    coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS metric_random,
    u.low, u.high, u.interval_reason
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id
WHERE u.run_id = (SELECT max(run_id) FROM run);
COMMENT ON COLUMN v_retrieval_summary.low IS 'lower end of the 95 % interval of mean: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN v_retrieval_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN v_retrieval_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value, or not_computed';

CREATE OR REPLACE VIEW v_generation_summary AS
SELECT r.name AS generator, s.mode, s.guidance, s.metric, s.n, s.mean, s.sd, s.undefined_n,
    r.revision, r.spec ->> 'licence_weights' AS licence_weights,
    r.spec ->> 'checkpoint' LIKE '%random%' AS random, s.run_id, n.finished_at,
    s.low, s.high, s.targets_n, s.interval_reason
FROM run_generation_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id)
WHERE s.run_id = (SELECT max(run_id) FROM run);
COMMENT ON COLUMN v_generation_summary.low IS 'lower end of the 95 % interval of the mean over targets, each target''s seeds averaged first: percentile bootstrap, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN v_generation_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN v_generation_summary.targets_n IS 'targets behind the interval; n counts clips';
COMMENT ON COLUMN v_generation_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value, or not_computed';

CREATE OR REPLACE VIEW v_generation_delta AS
SELECT r.name AS generator, c.metric, c.mode, c.guidance, c.than_mode, c.than_guidance,
    c.n::bigint AS n, c.mean_difference, c.sd, c.higher_n::bigint AS higher_n, r.revision,
    c.random, c.licence_weights,
    c.low, c.high, c.p, c.p_holm, c.method, coalesce(c.p_holm < 0.05, false) AS established,
    c.family_n, c.interval_reason, c.reason, c.run_id, n.finished_at
FROM run_comparison c
JOIN generator r ON r.generator_id = c.generator_id
JOIN run n ON n.run_id = c.run_id
WHERE c.run_id = (SELECT max(run_id) FROM run);
COMMENT ON VIEW v_generation_delta IS 'The latest run: every two modes of a generator compared, paired over targets, a target''s seeds averaged, the stronger mode less the weaker';
COMMENT ON COLUMN v_generation_delta.low IS 'lower end of the 95 % interval of mean_difference: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN v_generation_delta.high IS 'upper end of that interval';
COMMENT ON COLUMN v_generation_delta.p IS 'two-sided sign-flip test; the smallest possible at n targets is 2 to the power of 1 - n';
COMMENT ON COLUMN v_generation_delta.p_holm IS 'p after Holm''s correction over all tests of this generator in this run';
COMMENT ON COLUMN v_generation_delta.method IS 'exact: every sign flip, up to n = 20; permutation: 100,000 drawn with a fixed seed';
COMMENT ON COLUMN v_generation_delta.established IS 'true: p_holm is below 0.05';
COMMENT ON COLUMN v_generation_delta.family_n IS 'tests that p_holm is corrected for';
COMMENT ON COLUMN v_generation_delta.interval_reason IS 'why there is no interval: no_target or one_target has both values';
COMMENT ON COLUMN v_generation_delta.reason IS 'why there is no p: no_target has both values';
COMMENT ON COLUMN v_generation_delta.run_id IS 'the latest run';
COMMENT ON COLUMN v_generation_delta.finished_at IS 'when it was made';

CREATE VIEW v_retrieval_comparison AS
SELECT a.name AS encoder, b.name AS than_encoder, c.metric, c.n, c.mean_difference, c.low, c.high,
    c.p, c.p_holm, coalesce(c.p_holm < 0.05, false) AS established, c.higher_n, c.sd, c.method,
    c.family_n, c.interval_reason, c.reason, a.revision, b.revision AS than_revision,
    c.licence_weights, c.random, c.run_id, n.finished_at
FROM run_comparison c
JOIN encoder a ON a.encoder_id = c.encoder_id
JOIN encoder b ON b.encoder_id = c.than_encoder_id
JOIN run n ON n.run_id = c.run_id
WHERE c.run_id = (SELECT max(run_id) FROM run);
COMMENT ON VIEW v_retrieval_comparison IS 'The latest run: the first answers of every two encoders compared by the same metric, paired over targets; cosines of different encoders are not comparable and left out';
COMMENT ON COLUMN v_retrieval_comparison.encoder IS 'the first encoder, the later one by name';
COMMENT ON COLUMN v_retrieval_comparison.than_encoder IS 'what it is compared with';
COMMENT ON COLUMN v_retrieval_comparison.metric IS 'as in v_retrieval_summary, less cosine';
COMMENT ON COLUMN v_retrieval_comparison.n IS 'targets that both have a value for';
COMMENT ON COLUMN v_retrieval_comparison.mean_difference IS 'mean over targets of the first one''s value less the other''s, in the metric''s unit';
COMMENT ON COLUMN v_retrieval_comparison.low IS 'lower end of the 95 % interval of mean_difference: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN v_retrieval_comparison.high IS 'upper end of that interval';
COMMENT ON COLUMN v_retrieval_comparison.p IS 'two-sided sign-flip test; the smallest possible at n targets is 2 to the power of 1 - n';
COMMENT ON COLUMN v_retrieval_comparison.p_holm IS 'p after Holm''s correction over all tests between encoders in this run';
COMMENT ON COLUMN v_retrieval_comparison.established IS 'true: p_holm is below 0.05';
COMMENT ON COLUMN v_retrieval_comparison.higher_n IS 'targets at which the first one has the higher value';
COMMENT ON COLUMN v_retrieval_comparison.sd IS 'population standard deviation of the differences';
COMMENT ON COLUMN v_retrieval_comparison.method IS 'exact: every sign flip, up to n = 20; permutation: 100,000 drawn with a fixed seed';
COMMENT ON COLUMN v_retrieval_comparison.family_n IS 'tests that p_holm is corrected for';
COMMENT ON COLUMN v_retrieval_comparison.interval_reason IS 'why there is no interval: no_target or one_target has both values';
COMMENT ON COLUMN v_retrieval_comparison.reason IS 'why there is no p: no_target has both values';
COMMENT ON COLUMN v_retrieval_comparison.revision IS 'of the first encoder';
COMMENT ON COLUMN v_retrieval_comparison.than_revision IS 'of the other';
COMMENT ON COLUMN v_retrieval_comparison.licence_weights IS 'licences of the weights behind the numbers: both encoders'' and the metric''s';
COMMENT ON COLUMN v_retrieval_comparison.random IS 'true: random weights made a number, the comparison says nothing about music';
COMMENT ON COLUMN v_retrieval_comparison.run_id IS 'the latest run';
COMMENT ON COLUMN v_retrieval_comparison.finished_at IS 'when it was made';

CREATE VIEW v_retrieval_group_summary_history AS
SELECT e.name AS encoder, u.label, u.value, u.metric, u.n, u.mean, u.sd, u.low, u.high,
    u.undefined_n, u.unlabelled_n, u.interval_reason, e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    u.run_id, n.finished_at, m.revision AS metric_revision,
    coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS metric_random
FROM run_group_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id;

CREATE VIEW v_retrieval_group_summary AS
SELECT * FROM v_retrieval_group_summary_history WHERE run_id = (SELECT max(run_id) FROM run);
COMMENT ON VIEW v_retrieval_group_summary IS 'v_retrieval_summary over the targets that share a genre or an instrument';
COMMENT ON COLUMN v_retrieval_group_summary.encoder IS 'whose first answers these are';
COMMENT ON COLUMN v_retrieval_group_summary.label IS 'a label of the target: genre or instrument';
COMMENT ON COLUMN v_retrieval_group_summary.value IS 'what the targets of the group have there';
COMMENT ON COLUMN v_retrieval_group_summary.metric IS 'as in v_retrieval_summary';
COMMENT ON COLUMN v_retrieval_group_summary.n IS 'targets of the group whose answer has a value';
COMMENT ON COLUMN v_retrieval_group_summary.mean IS 'mean over them; NULL where there is none';
COMMENT ON COLUMN v_retrieval_group_summary.sd IS 'population standard deviation';
COMMENT ON COLUMN v_retrieval_group_summary.low IS 'lower end of the 95 % interval of mean: percentile bootstrap over the group''s targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN v_retrieval_group_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN v_retrieval_group_summary.undefined_n IS 'targets of the group whose answer has no value';
COMMENT ON COLUMN v_retrieval_group_summary.unlabelled_n IS 'answered targets that carry no such label and are in no group';
COMMENT ON COLUMN v_retrieval_group_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value';
COMMENT ON COLUMN v_retrieval_group_summary.revision IS 'of the encoder';
COMMENT ON COLUMN v_retrieval_group_summary.licence_weights IS 'licences of the weights behind the numbers: the encoder''s, then the metric''s where it has weights';
COMMENT ON COLUMN v_retrieval_group_summary.random IS 'true: encoder or metric has random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_retrieval_group_summary.run_id IS 'the latest run';
COMMENT ON COLUMN v_retrieval_group_summary.finished_at IS 'when it was made';
COMMENT ON COLUMN v_retrieval_group_summary.metric_revision IS 'of the metric; NULL where the number is the encoder''s own';
COMMENT ON COLUMN v_retrieval_group_summary.metric_random IS 'true: it is the metric that has random weights';

CREATE VIEW v_generation_group_summary_history AS
SELECT r.name AS generator, s.mode, s.guidance, s.label, s.value, s.metric, s.n, s.mean, s.sd,
    s.low, s.high, s.targets_n, s.undefined_n, s.unlabelled_n, s.interval_reason, r.revision,
    r.spec ->> 'licence_weights' AS licence_weights,
    coalesce(r.spec ->> 'checkpoint' LIKE '%random%', false) AS random, s.run_id, n.finished_at,
    s.metric_revision, s.metric_licence_weights, s.metric_random
FROM run_group_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id);

CREATE VIEW v_generation_group_summary AS
SELECT * FROM v_generation_group_summary_history WHERE run_id = (SELECT max(run_id) FROM run);
COMMENT ON VIEW v_generation_group_summary IS 'v_generation_summary over the targets that share a genre or an instrument';
COMMENT ON COLUMN v_generation_group_summary.metric_revision IS 'of the metric, or of the encoder whose cosine it is';
COMMENT ON COLUMN v_generation_group_summary.metric_licence_weights IS 'licence of the weights that measured; empty where there are none';
COMMENT ON COLUMN v_generation_group_summary.metric_random IS 'true: what measured has random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_generation_group_summary.generator IS 'whose clips these are';
COMMENT ON COLUMN v_generation_group_summary.mode IS 'in which mode they were made';
COMMENT ON COLUMN v_generation_group_summary.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN v_generation_group_summary.label IS 'a label of the target: genre or instrument';
COMMENT ON COLUMN v_generation_group_summary.value IS 'what the targets of the group have there';
COMMENT ON COLUMN v_generation_group_summary.metric IS 'as in v_generation_summary';
COMMENT ON COLUMN v_generation_group_summary.n IS 'clips of the group''s targets with a value';
COMMENT ON COLUMN v_generation_group_summary.mean IS 'mean over them; NULL where there is none';
COMMENT ON COLUMN v_generation_group_summary.sd IS 'population standard deviation';
COMMENT ON COLUMN v_generation_group_summary.low IS 'lower end of the 95 % interval of the mean over the group''s targets, each target''s seeds averaged first: percentile bootstrap, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN v_generation_group_summary.high IS 'upper end of that interval';
COMMENT ON COLUMN v_generation_group_summary.targets_n IS 'targets behind the interval';
COMMENT ON COLUMN v_generation_group_summary.undefined_n IS 'clips without a value';
COMMENT ON COLUMN v_generation_group_summary.unlabelled_n IS 'targets with a clip that carry no such label and are in no group';
COMMENT ON COLUMN v_generation_group_summary.interval_reason IS 'why there is no interval: no_target or one_target has a value';
COMMENT ON COLUMN v_generation_group_summary.revision IS 'of the generator';
COMMENT ON COLUMN v_generation_group_summary.licence_weights IS 'licence of the generator''s weights';
COMMENT ON COLUMN v_generation_group_summary.random IS 'true: the generator has random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_generation_group_summary.run_id IS 'the latest run';
COMMENT ON COLUMN v_generation_group_summary.finished_at IS 'when it was made';

DO $words$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT c.relname || '_history' AS relname, a.attname,
            CASE a.attname WHEN 'run_id' THEN 'the run that measured it'
                ELSE col_description(c.oid, a.attnum) END AS meaning
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'mirpipe'::regnamespace
          AND c.relname IN ('v_retrieval_group_summary', 'v_generation_group_summary')
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', f.relname, f.attname, f.meaning);
    END LOOP;
END $words$;
COMMENT ON VIEW v_retrieval_group_summary_history IS 'Every run: v_retrieval_group_summary as it was then';
COMMENT ON VIEW v_generation_group_summary_history IS 'Every run: v_generation_group_summary as it was then';

-- History: every run ------------------------------------------------------------------------------

CREATE VIEW v_retrieval_summary_history AS
SELECT u.run_id, n.finished_at, e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.low, u.high,
    u.undefined_n, u.interval_reason,
    u.mean - lag(u.mean) OVER (PARTITION BY e.name, u.metric ORDER BY u.run_id) AS mean_change,
    coalesce((n.library ->> 'reference ok')::integer, 0) AS library_references,
    coalesce((n.library ->> 'target ok')::integer, 0) AS library_targets,
    coalesce((n.library ->> 'generated ok')::integer, 0) AS library_clips,
    e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    m.revision AS metric_revision
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id;
COMMENT ON VIEW v_retrieval_summary_history IS 'v_retrieval_summary of every run, beside the size of the library that it describes: the trend of each summary';
COMMENT ON COLUMN v_retrieval_summary_history.run_id IS 'the run; a later one was made only where something had changed';
COMMENT ON COLUMN v_retrieval_summary_history.finished_at IS 'when it was made';
COMMENT ON COLUMN v_retrieval_summary_history.encoder IS 'whose first answers these are';
COMMENT ON COLUMN v_retrieval_summary_history.metric IS 'as in v_retrieval_summary';
COMMENT ON COLUMN v_retrieval_summary_history.n IS 'targets whose answer had a value';
COMMENT ON COLUMN v_retrieval_summary_history.mean IS 'mean over them; NULL where there was none';
COMMENT ON COLUMN v_retrieval_summary_history.sd IS 'population standard deviation';
COMMENT ON COLUMN v_retrieval_summary_history.low IS 'lower end of the 95 % interval of mean';
COMMENT ON COLUMN v_retrieval_summary_history.high IS 'upper end of that interval';
COMMENT ON COLUMN v_retrieval_summary_history.undefined_n IS 'targets whose answer had no value';
COMMENT ON COLUMN v_retrieval_summary_history.interval_reason IS 'why there is no interval: no_target or one_target has a value, or not_computed';
COMMENT ON COLUMN v_retrieval_summary_history.mean_change IS 'mean less that of the encoder''s run before, of whichever revision; NULL for the first';
COMMENT ON COLUMN v_retrieval_summary_history.library_references IS 'usable references at that time';
COMMENT ON COLUMN v_retrieval_summary_history.library_targets IS 'usable targets at that time';
COMMENT ON COLUMN v_retrieval_summary_history.library_clips IS 'usable generated clips at that time';
COMMENT ON COLUMN v_retrieval_summary_history.revision IS 'of the encoder that answered then';
COMMENT ON COLUMN v_retrieval_summary_history.licence_weights IS 'licences of the weights behind the numbers: the encoder''s, then the metric''s where it has weights';
COMMENT ON COLUMN v_retrieval_summary_history.random IS 'true: encoder or metric had random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_retrieval_summary_history.metric_revision IS 'of the metric; NULL where the number is the encoder''s own';

CREATE VIEW v_generation_summary_history AS
SELECT s.run_id, n.finished_at, r.name AS generator, s.mode, s.guidance, s.metric, s.n, s.mean, s.sd,
    s.low, s.high, s.targets_n, s.undefined_n, s.interval_reason,
    s.mean - lag(s.mean) OVER (
        PARTITION BY r.name, s.mode, s.guidance, s.metric ORDER BY s.run_id) AS mean_change,
    coalesce((n.library ->> 'reference ok')::integer, 0) AS library_references,
    coalesce((n.library ->> 'target ok')::integer, 0) AS library_targets,
    coalesce((n.library ->> 'generated ok')::integer, 0) AS library_clips,
    r.revision, r.spec ->> 'licence_weights' AS licence_weights,
    coalesce(r.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    s.metric_revision, s.metric_licence_weights, s.metric_random
FROM run_generation_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id);
COMMENT ON VIEW v_generation_summary_history IS 'v_generation_summary of every run, beside the size of the library that it describes: the trend of each summary';
COMMENT ON COLUMN v_generation_summary_history.metric_revision IS 'of the metric, or of the encoder whose cosine it is';
COMMENT ON COLUMN v_generation_summary_history.metric_licence_weights IS 'licence of the weights that measured; empty where there are none';
COMMENT ON COLUMN v_generation_summary_history.metric_random IS 'true: what measured has random weights, the numbers say nothing about music';
COMMENT ON COLUMN v_generation_summary_history.run_id IS 'the run; a later one was made only where something had changed';
COMMENT ON COLUMN v_generation_summary_history.finished_at IS 'when it was made';
COMMENT ON COLUMN v_generation_summary_history.generator IS 'whose clips these are';
COMMENT ON COLUMN v_generation_summary_history.mode IS 'in which mode they were made';
COMMENT ON COLUMN v_generation_summary_history.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN v_generation_summary_history.metric IS 'as in v_generation_summary';
COMMENT ON COLUMN v_generation_summary_history.n IS 'clips with a value';
COMMENT ON COLUMN v_generation_summary_history.mean IS 'mean over them; NULL where there was none';
COMMENT ON COLUMN v_generation_summary_history.sd IS 'population standard deviation';
COMMENT ON COLUMN v_generation_summary_history.low IS 'lower end of the 95 % interval of the mean over targets';
COMMENT ON COLUMN v_generation_summary_history.high IS 'upper end of that interval';
COMMENT ON COLUMN v_generation_summary_history.targets_n IS 'targets behind the interval';
COMMENT ON COLUMN v_generation_summary_history.undefined_n IS 'clips without a value';
COMMENT ON COLUMN v_generation_summary_history.interval_reason IS 'why there is no interval: no_target or one_target has a value, or not_computed';
COMMENT ON COLUMN v_generation_summary_history.mean_change IS 'mean less that of the run before, of whichever revision; NULL for the first';
COMMENT ON COLUMN v_generation_summary_history.library_references IS 'usable references at that time';
COMMENT ON COLUMN v_generation_summary_history.library_targets IS 'usable targets at that time';
COMMENT ON COLUMN v_generation_summary_history.library_clips IS 'usable generated clips at that time';
COMMENT ON COLUMN v_generation_summary_history.revision IS 'of the generator';
COMMENT ON COLUMN v_generation_summary_history.licence_weights IS 'licence of the generator''s weights';
COMMENT ON COLUMN v_generation_summary_history.random IS 'true: the generator had random weights, the numbers say nothing about music';

CREATE FUNCTION top_neighbour_at(run_id bigint)
RETURNS TABLE (encoder text, rank smallint, target text, reference text, cosine double precision,
    z double precision, percentile double precision, target_id bigint, reference_id bigint,
    revision text, licence_weights text, random boolean, from_run bigint, to_run bigint)
LANGUAGE sql STABLE AS $$
    SELECT e.name, s.rank, t.title, r.title, s.cosine,
        (s.cosine - b.background_mean) / nullif(b.background_sd, 0),
        100.0::double precision * width_bucket(s.cosine, g.background_cosines)
            / nullif(cardinality(g.background_cosines), 0),
        s.target_id, s.reference_id, e.revision, e.spec ->> 'licence_weights',
        coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false), s.from_run, s.to_run
    FROM mirpipe.served_neighbour s
    JOIN mirpipe.encoder e ON e.encoder_id = s.encoder_id
    JOIN mirpipe.track t ON t.track_id = s.target_id
    JOIN mirpipe.track r ON r.track_id = s.reference_id
    JOIN mirpipe.run n ON n.run_id = top_neighbour_at.run_id
    LEFT JOIN mirpipe.run_target b
        ON b.run_id = n.run_id AND b.encoder_id = s.encoder_id AND b.target_id = s.target_id
    LEFT JOIN mirpipe.run_encoder g ON g.run_id = n.run_id AND g.encoder_id = s.encoder_id
    WHERE s.from_run <= n.run_id AND (s.to_run IS NULL OR s.to_run > n.run_id)
    ORDER BY e.name, s.target_id, s.rank
$$;
COMMENT ON FUNCTION top_neighbour_at IS 'The answers as readers were served them in this run, up to ten a target and encoder, with z and percentile in the library of that time; titles are the present ones; empty for a run that never was';
CREATE FUNCTION run_at(moment timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT max(n.run_id) FROM mirpipe.run n WHERE n.finished_at <= moment
$$;
COMMENT ON FUNCTION run_at IS 'The run that readers saw at a moment, for top_neighbour_at and the histories; NULL before the first';

GRANT EXECUTE ON FUNCTION top_neighbour_at, run_at TO mirpipe_app, mirpipe_read;
GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON run_group_summary, run_comparison TO mirpipe_app;
