SET LOCAL search_path = mirpipe, public;

-- As printed: a row a line, and a line is never a track ----------------------------------------

CREATE TABLE published_retrieval (
    line integer PRIMARY KEY,
    encoder text NOT NULL,
    target text NOT NULL,
    retrieved text NOT NULL,
    cosine double precision NOT NULL CHECK (cosine BETWEEN -1 AND 1),
    clap double precision NOT NULL CHECK (clap BETWEEN -1 AND 1),
    melody double precision NOT NULL CHECK (melody BETWEEN 0 AND 1),
    ce double precision NOT NULL CHECK (ce BETWEEN 1 AND 10),
    cu double precision NOT NULL CHECK (cu BETWEEN 1 AND 10),
    pc double precision NOT NULL CHECK (pc BETWEEN 1 AND 10),
    pq double precision NOT NULL CHECK (pq BETWEEN 1 AND 10),
    UNIQUE (encoder, target)
);
COMMENT ON TABLE published_retrieval IS 'Published first answers, a row a printed line; names as printed, which no track is found by';
COMMENT ON COLUMN published_retrieval.line IS 'line of retrieval.csv; the header is line 1';
COMMENT ON COLUMN published_retrieval.encoder IS 'as printed';
COMMENT ON COLUMN published_retrieval.target IS 'display name as printed';
COMMENT ON COLUMN published_retrieval.retrieved IS 'display name of the answer as printed; several files may have it';
COMMENT ON COLUMN published_retrieval.cosine IS 'cosine in the encoder''s own space, -1 to 1; not comparable between encoders';
COMMENT ON COLUMN published_retrieval.clap IS 'CLAP similarity of target and answer, -1 to 1';
COMMENT ON COLUMN published_retrieval.melody IS 'melody accuracy, 0 to 1';
COMMENT ON COLUMN published_retrieval.ce IS 'content enjoyment of the answer, 1 to 10';
COMMENT ON COLUMN published_retrieval.cu IS 'content usefulness of the answer, 1 to 10';
COMMENT ON COLUMN published_retrieval.pc IS 'production complexity of the answer, 1 to 10';
COMMENT ON COLUMN published_retrieval.pq IS 'production quality of the answer, 1 to 10';

CREATE TABLE published_generation (
    line integer PRIMARY KEY,
    mode text NOT NULL,
    cfg double precision NOT NULL CHECK (cfg > 0),
    target text NOT NULL,
    clap double precision NOT NULL CHECK (clap BETWEEN -1 AND 1),
    melody double precision NOT NULL CHECK (melody BETWEEN 0 AND 1),
    ce double precision NOT NULL CHECK (ce BETWEEN 1 AND 10),
    cu double precision NOT NULL CHECK (cu BETWEEN 1 AND 10),
    pc double precision NOT NULL CHECK (pc BETWEEN 1 AND 10),
    pq double precision NOT NULL CHECK (pq BETWEEN 1 AND 10),
    UNIQUE (mode, target)
);
COMMENT ON TABLE published_generation IS 'Published clips, a row a printed line; names as printed, which no track is found by';
COMMENT ON COLUMN published_generation.line IS 'line of generation.csv; the header is line 1';
COMMENT ON COLUMN published_generation.mode IS 'as printed';
COMMENT ON COLUMN published_generation.cfg IS 'classifier-free guidance scale';
COMMENT ON COLUMN published_generation.target IS 'display name as printed';
COMMENT ON COLUMN published_generation.clap IS 'CLAP similarity of target and clip, -1 to 1';
COMMENT ON COLUMN published_generation.melody IS 'melody accuracy of the clip against its target, 0 to 1';
COMMENT ON COLUMN published_generation.ce IS 'content enjoyment of the clip, 1 to 10';
COMMENT ON COLUMN published_generation.cu IS 'content usefulness of the clip, 1 to 10';
COMMENT ON COLUMN published_generation.pc IS 'production complexity of the clip, 1 to 10';
COMMENT ON COLUMN published_generation.pq IS 'production quality of the clip, 1 to 10';

CREATE TABLE published_summary (
    line integer PRIMARY KEY,
    task text NOT NULL CHECK (task IN ('retrieval', 'generation')),
    place text NOT NULL,
    subject text NOT NULL,
    cfg double precision,
    metric text NOT NULL,
    mean numeric NOT NULL,
    sd numeric CHECK (sd >= 0),
    discrepancy text
);
COMMENT ON TABLE published_summary IS 'Published means, to compare with what the lines give';
COMMENT ON COLUMN published_summary.line IS 'line of summary.csv; the header is line 1';
COMMENT ON COLUMN published_summary.task IS 'retrieval or generation';
COMMENT ON COLUMN published_summary.place IS 'where it was printed';
COMMENT ON COLUMN published_summary.subject IS 'encoder or mode, as printed';
COMMENT ON COLUMN published_summary.cfg IS 'classifier-free guidance scale; NULL for retrieval';
COMMENT ON COLUMN published_summary.metric IS 'as printed';
COMMENT ON COLUMN published_summary.mean IS 'as printed: its scale is the number of printed decimals';
COMMENT ON COLUMN published_summary.sd IS 'as printed; NULL where none was printed';
COMMENT ON COLUMN published_summary.discrepancy IS 'why the lines do not give it; NULL: they do';

CREATE TABLE published_change (
    line integer PRIMARY KEY,
    mode text NOT NULL,
    than_mode text NOT NULL,
    metric text NOT NULL,
    percent numeric NOT NULL,
    discrepancy text
);
COMMENT ON TABLE published_change IS 'Published changes between modes, to compare with what the lines give';
COMMENT ON COLUMN published_change.line IS 'line of changes.csv; the header is line 1';
COMMENT ON COLUMN published_change.mode IS 'the mode that was compared';
COMMENT ON COLUMN published_change.than_mode IS 'the mode that it was compared with';
COMMENT ON COLUMN published_change.metric IS 'as printed';
COMMENT ON COLUMN published_change.percent IS 'as printed: its scale is the number of printed decimals';
COMMENT ON COLUMN published_change.discrepancy IS 'why the lines do not give it; NULL: they do';

CREATE TABLE published_claim (
    line integer PRIMARY KEY,
    section text NOT NULL,
    claim text NOT NULL,
    numbers text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN
        ('stands', 'arithmetic only', 'not established', 'does not stand', 'not measured')),
    remark text
);
COMMENT ON TABLE published_claim IS 'What was claimed of the published tables, beside what they say';
COMMENT ON COLUMN published_claim.line IS 'line of claims.csv; the header is line 1';
COMMENT ON COLUMN published_claim.section IS 'what it is about';
COMMENT ON COLUMN published_claim.claim IS 'in our words';
COMMENT ON COLUMN published_claim.numbers IS 'what the lines give, worked out at import; "none" where nothing was measured';
COMMENT ON COLUMN published_claim.verdict IS 'stands; arithmetic only: the number is right and does not show what was concluded; not established: chance could explain it; does not stand: the lines say otherwise; not measured: nothing was measured that could show it';
COMMENT ON COLUMN published_claim.remark IS 'what else to know';

-- Worked out at import, by the same functions as our own ----------------------------------------

CREATE VIEW published_score AS
SELECT 'retrieval' AS task, p.line, p.encoder AS subject, NULL::double precision AS guidance, p.target, m.metric, m.value
FROM published_retrieval p
CROSS JOIN LATERAL (VALUES
    ('cosine', p.cosine), ('clap_similarity', p.clap), ('melody_accuracy', p.melody),
    ('aesthetics_ce', p.ce), ('aesthetics_cu', p.cu), ('aesthetics_pc', p.pc), ('aesthetics_pq', p.pq)
) m (metric, value)
UNION ALL
SELECT 'generation', p.line, p.mode, p.cfg, p.target, m.metric, m.value
FROM published_generation p
CROSS JOIN LATERAL (VALUES
    ('clap_similarity', p.clap), ('melody_accuracy', p.melody),
    ('aesthetics_ce', p.ce), ('aesthetics_cu', p.cu), ('aesthetics_pc', p.pc), ('aesthetics_pq', p.pq)
) m (metric, value);
COMMENT ON VIEW published_score IS 'Every published number of a line, under the names that our own metrics have';
COMMENT ON COLUMN published_score.task IS 'retrieval or generation';
COMMENT ON COLUMN published_score.line IS 'line of retrieval.csv or generation.csv';
COMMENT ON COLUMN published_score.subject IS 'encoder or mode, as printed';
COMMENT ON COLUMN published_score.guidance IS 'classifier-free guidance scale; NULL for retrieval';
COMMENT ON COLUMN published_score.target IS 'display name as printed';
COMMENT ON COLUMN published_score.metric IS 'as in v_retrieval_summary and v_generation_summary';
COMMENT ON COLUMN published_score.value IS 'as printed, in the metric''s unit';

CREATE TABLE published_interval (
    task text NOT NULL,
    subject text NOT NULL,
    metric text NOT NULL,
    low double precision,
    high double precision,
    interval_reason text,
    PRIMARY KEY (task, subject, metric),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL))
);
COMMENT ON TABLE published_interval IS 'Intervals of the means that the published lines give';
COMMENT ON COLUMN published_interval.task IS 'retrieval or generation';
COMMENT ON COLUMN published_interval.subject IS 'encoder or mode, as printed';
COMMENT ON COLUMN published_interval.metric IS 'as in published_score';
COMMENT ON COLUMN published_interval.low IS 'lower end of the 95 % interval of the mean: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN published_interval.high IS 'upper end of that interval';
COMMENT ON COLUMN published_interval.interval_reason IS 'why there is no interval: one_target alone was printed';

CREATE TABLE published_comparison (
    task text NOT NULL,
    metric text NOT NULL,
    subject text NOT NULL,
    than_subject text NOT NULL,
    low double precision,
    high double precision,
    interval_reason text,
    p double precision CHECK (p > 0 AND p <= 1),
    p_holm double precision CHECK (p_holm >= p AND p_holm <= 1),
    method text CHECK (method IN ('exact', 'permutation')),
    reason text,
    family_n integer NOT NULL,
    PRIMARY KEY (task, metric, subject, than_subject),
    CHECK ((low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL)),
    CHECK ((p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL) AND (p IS NULL) = (reason IS NOT NULL))
);
COMMENT ON TABLE published_comparison IS 'Tests and intervals of two encoders, or two modes, compared over the published targets that both have; every p of a task is one family that is corrected after Holm';
COMMENT ON COLUMN published_comparison.task IS 'retrieval or generation';
COMMENT ON COLUMN published_comparison.metric IS 'as in published_score';
COMMENT ON COLUMN published_comparison.subject IS 'the first: of encoders the later one by name, of modes the later one printed';
COMMENT ON COLUMN published_comparison.than_subject IS 'what it is compared with';
COMMENT ON COLUMN published_comparison.low IS 'lower end of the 95 % interval of the mean difference: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN published_comparison.high IS 'upper end of that interval';
COMMENT ON COLUMN published_comparison.interval_reason IS 'why there is no interval: no_target or one_target has both values';
COMMENT ON COLUMN published_comparison.p IS 'two-sided sign-flip test; the smallest possible at n targets is 2 to the power of 1 - n';
COMMENT ON COLUMN published_comparison.p_holm IS 'p after Holm''s correction over all tests of this task';
COMMENT ON COLUMN published_comparison.method IS 'exact: every sign flip, up to n = 20; permutation: 100,000 drawn with a fixed seed';
COMMENT ON COLUMN published_comparison.reason IS 'why there is no p: no_target has both values';
COMMENT ON COLUMN published_comparison.family_n IS 'tests that p_holm is corrected for';

CREATE VIEW published_mean AS
SELECT s.task, s.subject, s.guidance, s.metric, count(*) AS n, avg(s.value) AS mean, stddev_pop(s.value) AS sd,
    i.low, i.high, i.interval_reason
FROM published_score s
LEFT JOIN published_interval i USING (task, subject, metric)
GROUP BY s.task, s.subject, s.guidance, s.metric, i.low, i.high, i.interval_reason;
COMMENT ON VIEW published_mean IS 'Mean and sd (population) of what the published lines say';
COMMENT ON COLUMN published_mean.task IS 'retrieval or generation';
COMMENT ON COLUMN published_mean.subject IS 'encoder or mode, as printed';
COMMENT ON COLUMN published_mean.guidance IS 'classifier-free guidance scale; NULL for retrieval';
COMMENT ON COLUMN published_mean.metric IS 'as in published_score';
COMMENT ON COLUMN published_mean.n IS 'targets';
COMMENT ON COLUMN published_mean.mean IS 'mean over them';
COMMENT ON COLUMN published_mean.sd IS 'population standard deviation';
COMMENT ON COLUMN published_mean.low IS 'lower end of the 95 % interval of mean: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN published_mean.high IS 'upper end of that interval';
COMMENT ON COLUMN published_mean.interval_reason IS 'why there is no interval: one_target alone was printed';

CREATE VIEW published_difference AS
SELECT c.task, c.metric, c.subject, c.than_subject, d.guidance, d.than_guidance, d.n, d.mean_difference, d.sd, d.higher_n,
    d.percent, c.low, c.high, c.interval_reason, c.p, c.p_holm, c.method, c.reason, c.family_n
FROM published_comparison c
CROSS JOIN LATERAL (
    SELECT count(*) AS n, avg(a.value - b.value) AS mean_difference, stddev_pop(a.value - b.value) AS sd,
        count(*) FILTER (WHERE a.value > b.value) AS higher_n,
        100 * avg(a.value - b.value) / nullif(avg(b.value), 0) AS percent,
        max(a.guidance) AS guidance, max(b.guidance) AS than_guidance
    FROM published_score a
    JOIN published_score b USING (task, target, metric)
    WHERE (a.task, a.metric, a.subject) = (c.task, c.metric, c.subject) AND b.subject = c.than_subject) d;
COMMENT ON VIEW published_difference IS 'Two encoders, or two modes, compared over the published targets that both have';
COMMENT ON COLUMN published_difference.task IS 'retrieval or generation';
COMMENT ON COLUMN published_difference.metric IS 'as in published_score';
COMMENT ON COLUMN published_difference.subject IS 'the first: of encoders the later one by name, of modes the later one printed';
COMMENT ON COLUMN published_difference.than_subject IS 'what it is compared with';
COMMENT ON COLUMN published_difference.guidance IS 'of the first, classifier-free; NULL for retrieval';
COMMENT ON COLUMN published_difference.than_guidance IS 'of the other';
COMMENT ON COLUMN published_difference.n IS 'targets that both have a value for';
COMMENT ON COLUMN published_difference.mean_difference IS 'mean over them of the first one''s value less the other''s, in the metric''s unit';
COMMENT ON COLUMN published_difference.sd IS 'population standard deviation of the differences';
COMMENT ON COLUMN published_difference.higher_n IS 'targets at which the first one has the higher value';
COMMENT ON COLUMN published_difference.percent IS 'mean_difference in percent of the other one''s mean over these targets; NULL where that is 0';
COMMENT ON COLUMN published_difference.low IS 'lower end of the 95 % interval of mean_difference: percentile bootstrap over targets, 10,000 resamples of a fixed seed';
COMMENT ON COLUMN published_difference.high IS 'upper end of that interval';
COMMENT ON COLUMN published_difference.interval_reason IS 'why there is no interval: no_target or one_target has both values';
COMMENT ON COLUMN published_difference.p IS 'two-sided sign-flip test; the smallest possible at n targets is 2 to the power of 1 - n';
COMMENT ON COLUMN published_difference.p_holm IS 'p after Holm''s correction over all tests of this task';
COMMENT ON COLUMN published_difference.method IS 'exact: every sign flip, up to n = 20; permutation: 100,000 drawn with a fixed seed';
COMMENT ON COLUMN published_difference.reason IS 'why there is no p: no_target has both values';
COMMENT ON COLUMN published_difference.family_n IS 'tests that p_holm is corrected for';

-- What readers see: ours and the published ones, told apart by source ---------------------------

CREATE OR REPLACE VIEW v_retrieval_summary AS
SELECT e.name AS encoder, u.metric, u.n, u.mean, u.sd, u.undefined_n,
    e.revision,
    concat_ws('; ', e.spec ->> 'licence_weights', nullif(m.spec ->> 'licence_weights', '')) AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    u.run_id, n.finished_at, m.revision AS metric_revision,
    coalesce(m.spec ->> 'checkpoint' LIKE '%random%', false) AS metric_random,
    u.low, u.high, u.interval_reason, 'library' AS source
FROM run_summary u
JOIN encoder e ON e.encoder_id = u.encoder_id
JOIN run n ON n.run_id = u.run_id
LEFT JOIN metric m ON m.metric_id = u.metric_id
WHERE u.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT p.subject, p.metric, p.n::integer, p.mean, p.sd, 0, NULL, NULL, false, NULL, NULL, NULL, false,
    p.low, p.high, p.interval_reason, 'published'
FROM published_mean p WHERE p.task = 'retrieval';
COMMENT ON VIEW v_retrieval_summary IS 'The latest run, and the published tables: every metric''s mean and sd (population) over the first answer of every target';
COMMENT ON COLUMN v_retrieval_summary.source IS 'library: our own latest run; published: the tables that `mirpipe published import` loads, encoders named as printed, without revision and run';

CREATE OR REPLACE VIEW v_generation_summary AS
SELECT r.name AS generator, s.mode, s.guidance, s.metric, s.n, s.mean, s.sd, s.undefined_n,
    r.revision, r.spec ->> 'licence_weights' AS licence_weights,
    r.spec ->> 'checkpoint' LIKE '%random%' AS random, s.run_id, n.finished_at,
    s.low, s.high, s.targets_n, s.interval_reason, 'library' AS source,
    s.metric_revision, s.metric_licence_weights, s.metric_random
FROM run_generation_summary s
JOIN generator r USING (generator_id)
JOIN run n USING (run_id)
WHERE s.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT 'published', p.subject, p.guidance, p.metric, p.n::integer, p.mean, p.sd, 0, NULL, NULL, false, NULL, NULL,
    p.low, p.high, p.n::integer, p.interval_reason, 'published', NULL, NULL, false
FROM published_mean p WHERE p.task = 'generation';
COMMENT ON COLUMN v_generation_summary.metric_revision IS 'of the metric, or of the encoder whose cosine it is';
COMMENT ON COLUMN v_generation_summary.metric_licence_weights IS 'licence of the weights that measured; empty where there are none';
COMMENT ON COLUMN v_generation_summary.metric_random IS 'true: what measured has random weights, the numbers say nothing about music';
COMMENT ON VIEW v_generation_summary IS 'The latest run, and the published tables: every metric''s mean and sd (population) over the clips of a mode and guidance';
COMMENT ON COLUMN v_generation_summary.source IS 'library: our own latest run; published: the tables that `mirpipe published import` loads, without revision and run';

CREATE OR REPLACE VIEW v_generation_delta AS
SELECT r.name AS generator, c.metric, c.mode, c.guidance, c.than_mode, c.than_guidance,
    c.n::bigint AS n, c.mean_difference, c.sd, c.higher_n::bigint AS higher_n, r.revision,
    c.random, c.licence_weights,
    c.low, c.high, c.p, c.p_holm, c.method, coalesce(c.p_holm < 0.05, false) AS established,
    c.family_n, c.interval_reason, c.reason, c.run_id, n.finished_at, 'library' AS source,
    100 * c.mean_difference / nullif(s.mean, 0) AS percent
FROM run_comparison c
JOIN generator r ON r.generator_id = c.generator_id
JOIN run n ON n.run_id = c.run_id
LEFT JOIN run_generation_summary s
    ON (s.run_id, s.generator_id, s.mode, s.metric) = (c.run_id, c.generator_id, c.than_mode, c.metric)
    AND s.guidance IS NOT DISTINCT FROM c.than_guidance
WHERE c.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT 'published', p.metric, p.subject, p.guidance, p.than_subject, p.than_guidance,
    p.n, p.mean_difference, p.sd, p.higher_n, NULL, false, NULL, p.low, p.high, p.p, p.p_holm, p.method,
    coalesce(p.p_holm < 0.05, false), p.family_n, p.interval_reason, p.reason, NULL, NULL, 'published', p.percent
FROM published_difference p WHERE p.task = 'generation';
COMMENT ON VIEW v_generation_delta IS 'The latest run, and the published tables: every two modes of a generator compared, paired over targets, a target''s seeds averaged, the stronger mode less the weaker';
COMMENT ON COLUMN v_generation_delta.run_id IS 'the latest run; NULL for the published tables';
COMMENT ON COLUMN v_generation_delta.source IS 'library: our own latest run; published: the tables that `mirpipe published import` loads, without revision and run';
COMMENT ON COLUMN v_generation_delta.percent IS 'mean_difference in percent of the weaker mode''s mean; NULL where that is 0, and of little meaning where it is near 0';

CREATE OR REPLACE VIEW v_retrieval_comparison AS
SELECT a.name AS encoder, b.name AS than_encoder, c.metric, c.n, c.mean_difference, c.low, c.high,
    c.p, c.p_holm, coalesce(c.p_holm < 0.05, false) AS established, c.higher_n, c.sd, c.method,
    c.family_n, c.interval_reason, c.reason, a.revision, b.revision AS than_revision,
    c.licence_weights, c.random, c.run_id, n.finished_at, 'library' AS source
FROM run_comparison c
JOIN encoder a ON a.encoder_id = c.encoder_id
JOIN encoder b ON b.encoder_id = c.than_encoder_id
JOIN run n ON n.run_id = c.run_id
WHERE c.run_id = (SELECT max(run_id) FROM run)
UNION ALL
SELECT p.subject, p.than_subject, p.metric, p.n::integer, p.mean_difference, p.low, p.high,
    p.p, p.p_holm, coalesce(p.p_holm < 0.05, false), p.higher_n::integer, p.sd, p.method,
    p.family_n, p.interval_reason, p.reason, NULL, NULL, NULL, false, NULL, NULL, 'published'
FROM published_difference p WHERE p.task = 'retrieval';
COMMENT ON VIEW v_retrieval_comparison IS 'The latest run, and the published tables: the first answers of every two encoders compared by the same metric, paired over targets; cosines of different encoders are not comparable and left out';
COMMENT ON COLUMN v_retrieval_comparison.run_id IS 'the latest run; NULL for the published tables';
COMMENT ON COLUMN v_retrieval_comparison.source IS 'library: our own latest run; published: the tables that `mirpipe published import` loads, encoders named as printed, without revision and run';

CREATE VIEW v_published AS
WITH metric (printed, metric) AS (VALUES
    ('Retrieval Sim', 'cosine'), ('CLAP Sim', 'clap_similarity'), ('Melody Acc', 'melody_accuracy'),
    ('CLAP', 'clap_similarity'), ('Melody', 'melody_accuracy'), ('CE', 'aesthetics_ce'),
    ('CU', 'aesthetics_cu'), ('PC', 'aesthetics_pc'), ('PQ', 'aesthetics_pq')
), number AS (
    SELECT s.line AS place, s.task, v.encoder AS subject, NULL AS than_subject, m.metric, 'mean' AS number,
        s.mean AS printed, v.mean AS recomputed, s.discrepancy
    FROM published_summary s
    JOIN metric m ON m.printed = s.metric
    LEFT JOIN v_retrieval_summary v
        ON v.source = 'published' AND lower(v.encoder) = lower(s.subject) AND v.metric = m.metric
    WHERE s.task = 'retrieval'
    UNION ALL
    SELECT s.line, s.task, v.encoder, NULL, m.metric, 'sd', s.sd, v.sd, NULL
    FROM published_summary s
    JOIN metric m ON m.printed = s.metric
    LEFT JOIN v_retrieval_summary v
        ON v.source = 'published' AND lower(v.encoder) = lower(s.subject) AND v.metric = m.metric
    WHERE s.task = 'retrieval' AND s.sd IS NOT NULL
    UNION ALL
    SELECT s.line, s.task, v.mode, NULL, m.metric, 'mean', s.mean, v.mean, s.discrepancy
    FROM published_summary s
    JOIN metric m ON m.printed = s.metric
    LEFT JOIN v_generation_summary v
        ON v.source = 'published' AND v.mode = s.subject AND v.metric = m.metric
    WHERE s.task = 'generation'
    UNION ALL
    SELECT 10000 + c.line, 'generation', c.mode, c.than_mode, m.metric, 'change, percent', c.percent, v.percent,
        c.discrepancy
    FROM published_change c
    JOIN metric m ON m.printed = c.metric
    LEFT JOIN v_generation_delta v
        ON v.source = 'published' AND (v.mode, v.than_mode, v.metric) = (c.mode, c.than_mode, m.metric)
)
SELECT n.task, n.subject, n.than_subject, n.metric, n.number, n.printed, n.recomputed,
    coalesce(round(n.recomputed::numeric, scale(n.printed)) = n.printed, false) AS agrees,
    n.discrepancy, NULL::text AS licence_weights, false AS random, n.place
FROM number n;
COMMENT ON VIEW v_published IS 'Every published mean, sd and change beside what the published lines give; order by place for that of the report';
COMMENT ON COLUMN v_published.task IS 'retrieval or generation';
COMMENT ON COLUMN v_published.subject IS 'encoder or mode';
COMMENT ON COLUMN v_published.than_subject IS 'of a change: the mode that it starts from';
COMMENT ON COLUMN v_published.metric IS 'as in v_retrieval_summary and v_generation_summary';
COMMENT ON COLUMN v_published.number IS 'mean, sd (population) or change, percent';
COMMENT ON COLUMN v_published.printed IS 'as printed, with its decimals';
COMMENT ON COLUMN v_published.recomputed IS 'from the printed lines, by our views';
COMMENT ON COLUMN v_published.agrees IS 'true: recomputed, rounded to the printed decimals, is what was printed';
COMMENT ON COLUMN v_published.discrepancy IS 'a known reason why the two differ; NULL: they ought to agree';
COMMENT ON COLUMN v_published.licence_weights IS 'licence of the weights behind the numbers; NULL: not printed';
COMMENT ON COLUMN v_published.random IS 'true: random weights made the number; never, in print';
COMMENT ON COLUMN v_published.place IS 'where it stands in the report: by this it is ordered';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON published_retrieval, published_generation, published_summary, published_change,
    published_claim, published_interval, published_comparison TO mirpipe_app;
