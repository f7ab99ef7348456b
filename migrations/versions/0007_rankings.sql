SET LOCAL search_path = mirpipe, public;

-- Rankings against labels -------------------------------------------------------------------------

CREATE TABLE run_ranking (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint REFERENCES encoder,
    queries text NOT NULL CHECK (queries IN ('targets', 'references')),
    label text NOT NULL,
    metric text NOT NULL CHECK (metric IN ('p_at_1', 'p_at_5', 'p_at_10', 'mrr', 'map')),
    rerank text NOT NULL CHECK (rerank IN ('cosine', 'csls', 'fusion')),
    n integer NOT NULL CHECK (n >= 0),
    left_out_n integer NOT NULL CHECK (left_out_n >= 0),
    mean double precision CHECK (mean BETWEEN 0 AND 1),
    low double precision,
    high double precision,
    UNIQUE NULLS NOT DISTINCT (run_id, encoder_id, queries, label, metric, rerank),
    CHECK ((encoder_id IS NULL) = (rerank = 'fusion')),
    CHECK ((n = 0) = (mean IS NULL)),
    CHECK ((n < 2) = (low IS NULL) AND (low IS NULL) = (high IS NULL))
);

COMMENT ON TABLE run_ranking IS 'How well each encoder ranks what shares a label with the query';
COMMENT ON COLUMN run_ranking.run_id IS 'the run that measured it';
COMMENT ON COLUMN run_ranking.encoder_id IS 'revision of the encoder; NULL for the fusion of encoders';
COMMENT ON COLUMN run_ranking.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN run_ranking.label IS 'genre, instrument or work: a reference that has the query''s own value there is relevant; a label that no reference has gives no row';
COMMENT ON COLUMN run_ranking.metric IS 'p_at_1, p_at_5, p_at_10: share of relevant references among the first answers, divided by 1, 5 or 10; mrr: one over the rank of the first relevant one; map: average precision of the full ranking';
COMMENT ON COLUMN run_ranking.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was; fusion: reciprocal rank fusion of all encoders';
COMMENT ON COLUMN run_ranking.n IS 'queries behind the mean';
COMMENT ON COLUMN run_ranking.left_out_n IS 'queries without the label, or to which no reference is relevant: left out';
COMMENT ON COLUMN run_ranking.mean IS 'mean over the queries, 0 to 1, higher is better; NULL where n is 0';
COMMENT ON COLUMN run_ranking.low IS 'lower end of the 95 % interval of the mean: percentile bootstrap over the queries; NULL where n is below 2';
COMMENT ON COLUMN run_ranking.high IS 'upper end of that interval';

-- Hubs --------------------------------------------------------------------------------------------

CREATE TABLE run_hubness (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    queries text NOT NULL CHECK (queries IN ('targets', 'references')),
    rerank text NOT NULL CHECK (rerank IN ('cosine', 'csls')),
    k smallint NOT NULL CHECK (k > 0),
    skewness double precision,
    largest integer NOT NULL,
    largest_reference_id bigint NOT NULL REFERENCES track,
    never_retrieved_share double precision NOT NULL CHECK (never_retrieved_share BETWEEN 0 AND 1),
    n integer NOT NULL CHECK (n > 0),
    references_n integer NOT NULL CHECK (references_n > 0),
    PRIMARY KEY (run_id, encoder_id, queries, rerank, k)
);

COMMENT ON TABLE run_hubness IS 'Whether a few references are in everybody''s answers and many in nobody''s';
COMMENT ON COLUMN run_hubness.run_id IS 'the run that measured it';
COMMENT ON COLUMN run_hubness.encoder_id IS 'revision of the encoder';
COMMENT ON COLUMN run_hubness.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN run_hubness.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was';
COMMENT ON COLUMN run_hubness.k IS 'how many of the first answers of each query count: 1, 5 or 10';
COMMENT ON COLUMN run_hubness.skewness IS 'of N_k, how often each reference is among the first k answers (third standardised moment, population): 0 is even, higher means hubs; NULL where all are retrieved as often';
COMMENT ON COLUMN run_hubness.largest IS 'the largest N_k: queries that the most retrieved reference answers';
COMMENT ON COLUMN run_hubness.largest_reference_id IS 'that reference, the first by content hash of several';
COMMENT ON COLUMN run_hubness.never_retrieved_share IS 'share of references that are among nobody''s first k answers, 0 to 1';
COMMENT ON COLUMN run_hubness.n IS 'queries';
COMMENT ON COLUMN run_hubness.references_n IS 'references they were ranked against';

CREATE TABLE run_hub (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    queries text NOT NULL CHECK (queries IN ('targets', 'references')),
    rerank text NOT NULL CHECK (rerank IN ('cosine', 'csls')),
    k smallint NOT NULL CHECK (k > 0),
    rank smallint NOT NULL CHECK (rank > 0),
    reference_id bigint NOT NULL REFERENCES track,
    retrieved_n integer NOT NULL CHECK (retrieved_n > 0),
    PRIMARY KEY (run_id, encoder_id, queries, rerank, k, rank)
);

COMMENT ON TABLE run_hub IS 'The 20 references that are retrieved most';
COMMENT ON COLUMN run_hub.run_id IS 'the run that measured it';
COMMENT ON COLUMN run_hub.encoder_id IS 'revision of the encoder';
COMMENT ON COLUMN run_hub.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN run_hub.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was';
COMMENT ON COLUMN run_hub.k IS 'how many of the first answers of each query count: 1, 5 or 10';
COMMENT ON COLUMN run_hub.rank IS '1 is the most retrieved; ties fall by content hash';
COMMENT ON COLUMN run_hub.reference_id IS 'the reference';
COMMENT ON COLUMN run_hub.retrieved_n IS 'N_k: queries that have it among their first k answers';

-- Agreement ---------------------------------------------------------------------------------------

CREATE TABLE run_agreement (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    other_id smallint NOT NULL REFERENCES encoder,
    rbo double precision NOT NULL CHECK (rbo BETWEEN 0 AND 1.000001),
    top1 double precision NOT NULL CHECK (top1 BETWEEN 0 AND 1),
    n integer NOT NULL CHECK (n > 0),
    PRIMARY KEY (run_id, encoder_id, other_id)
);

COMMENT ON TABLE run_agreement IS 'How far two encoders give the same answers, ranked by cosine';
COMMENT ON COLUMN run_agreement.run_id IS 'the run that measured it';
COMMENT ON COLUMN run_agreement.encoder_id IS 'revision of one encoder';
COMMENT ON COLUMN run_agreement.other_id IS 'revision of the other; each two stand there both ways round';
COMMENT ON COLUMN run_agreement.rbo IS 'mean rank-biased overlap of the 50 nearest references of a target, p = 0.9, extrapolated (Webber 2010): 0 disjoint to 1 equal';
COMMENT ON COLUMN run_agreement.top1 IS 'share of targets whose nearest reference is the same, 0 to 1';
COMMENT ON COLUMN run_agreement.n IS 'targets that both answer';

CREATE TABLE run_csls (
    run_id bigint NOT NULL REFERENCES run,
    encoder_id smallint NOT NULL REFERENCES encoder,
    kept integer NOT NULL,
    neighbourhood integer NOT NULL,
    base_n integer NOT NULL,
    targets_n integer NOT NULL CHECK (targets_n > 0),
    references_n integer NOT NULL CHECK (references_n > 0),
    is_sample boolean NOT NULL,
    top1_equal double precision NOT NULL CHECK (top1_equal BETWEEN 0 AND 1),
    top10_overlap double precision NOT NULL CHECK (top10_overlap BETWEEN 0 AND 1),
    base_targets_n integer CHECK (base_targets_n > 0),
    base_top1_equal double precision CHECK (base_top1_equal BETWEEN 0 AND 1),
    base_top10_overlap double precision CHECK (base_top10_overlap BETWEEN 0 AND 1),
    PRIMARY KEY (run_id, encoder_id),
    CHECK ((base_targets_n IS NULL) = (base_top1_equal IS NULL)),
    CHECK ((base_targets_n IS NULL) = (base_top10_overlap IS NULL))
);

COMMENT ON TABLE run_csls IS 'How re-ranking by CSLS was computed, and how far it agrees with ranking all references by CSLS';
COMMENT ON COLUMN run_csls.run_id IS 'the run that measured it';
COMMENT ON COLUMN run_csls.encoder_id IS 'revision of the encoder';
COMMENT ON COLUMN run_csls.kept IS 'nearest references of a query that are put in order anew';
COMMENT ON COLUMN run_csls.neighbourhood IS 'nearest references that r is the mean cosine with; all there are where they are fewer';
COMMENT ON COLUMN run_csls.base_n IS 'references that r was computed over: all, or in a large library so many, chosen by content hash';
COMMENT ON COLUMN run_csls.targets_n IS 'targets that the comparison with a full computation is over: all, or 1,000 chosen by content hash';
COMMENT ON COLUMN run_csls.references_n IS 'references of that comparison, r computed for each: all, or so many, chosen by content hash';
COMMENT ON COLUMN run_csls.is_sample IS 'true: the comparison is over a part of the targets or of the references';
COMMENT ON COLUMN run_csls.top1_equal IS 'share of targets whose first answer by CSLS is the same whether 50 or all references are put in order, 0 to 1';
COMMENT ON COLUMN run_csls.top10_overlap IS 'mean share of the first ten answers that is the same then, 0 to 1';
COMMENT ON COLUMN run_csls.base_targets_n IS 'targets, by content hash, at which the answers are compared with those of r over all references; NULL where r was computed over all';
COMMENT ON COLUMN run_csls.base_top1_equal IS 'share of these whose first answer is the same, 0 to 1';
COMMENT ON COLUMN run_csls.base_top10_overlap IS 'mean share of their first ten answers that is the same, 0 to 1';

-- Further answers ---------------------------------------------------------------------------------

CREATE TABLE run_answer (
    run_id bigint NOT NULL REFERENCES run,
    method text NOT NULL CHECK (method IN ('csls', 'fusion')),
    encoder_id smallint REFERENCES encoder,
    target_id bigint NOT NULL REFERENCES track,
    rank smallint NOT NULL CHECK (rank BETWEEN 1 AND 10),
    reference_id bigint NOT NULL REFERENCES track,
    score double precision NOT NULL,
    cosine double precision,
    cosine_rank smallint,
    UNIQUE NULLS NOT DISTINCT (run_id, method, encoder_id, target_id, rank),
    CHECK ((encoder_id IS NULL) = (method = 'fusion')),
    CHECK ((cosine IS NULL) = (method = 'fusion') AND (cosine_rank IS NULL) = (method = 'fusion'))
);

COMMENT ON TABLE run_answer IS 'The first ten answers by other rankings than cosine';
COMMENT ON COLUMN run_answer.run_id IS 'the latest run: answers of earlier ones are not kept';
COMMENT ON COLUMN run_answer.method IS 'csls: the 50 nearest put in order by CSLS; fusion: reciprocal rank fusion of all encoders (k = 60)';
COMMENT ON COLUMN run_answer.encoder_id IS 'revision of the encoder; NULL for fusion';
COMMENT ON COLUMN run_answer.target_id IS 'the target';
COMMENT ON COLUMN run_answer.rank IS '1 is the best; ties fall by content hash';
COMMENT ON COLUMN run_answer.reference_id IS 'the reference';
COMMENT ON COLUMN run_answer.score IS 'CSLS: twice the cosine less r of both sides; or the sum over encoders of 1 / (60 + rank)';
COMMENT ON COLUMN run_answer.cosine IS 'of the two in the encoder''s space, -1 to 1; NULL for fusion';
COMMENT ON COLUMN run_answer.cosine_rank IS 'rank by cosine, 1 to 50; NULL for fusion';

-- Sets of clips -----------------------------------------------------------------------------------

CREATE TABLE run_set_distance (
    run_id bigint NOT NULL REFERENCES run,
    generator_id smallint NOT NULL REFERENCES generator,
    mode text NOT NULL,
    guidance double precision,
    encoder_id smallint NOT NULL REFERENCES encoder,
    metric text NOT NULL CHECK (metric IN ('kad', 'fad_inf')),
    value double precision,
    reason text,
    n integer NOT NULL CHECK (n >= 0),
    references_n integer NOT NULL CHECK (references_n >= 0),
    seconds double precision NOT NULL CHECK (seconds >= 0),
    bandwidth double precision CHECK (bandwidth > 0),
    is_finding boolean NOT NULL,
    UNIQUE NULLS NOT DISTINCT (run_id, generator_id, mode, guidance, encoder_id, metric),
    CHECK ((value IS NULL) = (reason IS NOT NULL)),
    CHECK (NOT is_finding OR (value IS NOT NULL AND n >= 50))
);

COMMENT ON TABLE run_set_distance IS 'How far the clips of a mode lie, as a set, from the reference library';
COMMENT ON COLUMN run_set_distance.run_id IS 'the run that measured it';
COMMENT ON COLUMN run_set_distance.generator_id IS 'revision of the generator';
COMMENT ON COLUMN run_set_distance.mode IS 'in which its clips were made';
COMMENT ON COLUMN run_set_distance.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN run_set_distance.encoder_id IS 'revision of the encoder in whose space the distance is';
COMMENT ON COLUMN run_set_distance.metric IS 'kad: unbiased squared maximum mean discrepancy, Gaussian kernel, not scaled; fad_inf: Fréchet distance extrapolated to a set without end; compare within one encoder alone';
COMMENT ON COLUMN run_set_distance.value IS '0 is alike, higher is farther apart; either may go slightly below 0; NULL with a reason';
COMMENT ON COLUMN run_set_distance.reason IS 'why there is no value: too_few_clips (below 2 for kad, 8 for fad_inf), too_few_references (below 2) or no_spread (references all alike)';
COMMENT ON COLUMN run_set_distance.n IS 'clips with different bytes';
COMMENT ON COLUMN run_set_distance.references_n IS 'references they are compared with: all for fad_inf, up to 4,000 chosen by content hash for kad';
COMMENT ON COLUMN run_set_distance.seconds IS 'how long the clips are together';
COMMENT ON COLUMN run_set_distance.bandwidth IS 'of the kernel: median distance between two of the references; NULL for fad_inf';
COMMENT ON COLUMN run_set_distance.is_finding IS 'false: below 50 clips, a number that says nothing yet';

-- What readers see --------------------------------------------------------------------------------

CREATE VIEW v_ranking_history AS
SELECT coalesce(e.name, 'fusion') AS encoder, s.queries, s.label, s.metric, s.rerank, s.n, s.left_out_n,
    s.mean, s.low, s.high, e.revision,
    CASE WHEN e.encoder_id IS NULL THEN f.licence_weights ELSE e.spec ->> 'licence_weights' END AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random, s.run_id, n.finished_at
FROM run_ranking s
JOIN run n USING (run_id)
LEFT JOIN encoder e USING (encoder_id)
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT o.spec ->> 'licence_weights', '; ') AS licence_weights
    FROM run_encoder g JOIN encoder o USING (encoder_id)
    WHERE g.run_id = s.run_id AND NOT coalesce(o.spec ->> 'checkpoint' LIKE '%random%', false)) f ON true;

COMMENT ON VIEW v_ranking_history IS 'Every run: how well each encoder ranks what shares a label with the query';
COMMENT ON COLUMN v_ranking_history.encoder IS 'name of the encoder; fusion: all encoders together, those with random weights left out';
COMMENT ON COLUMN v_ranking_history.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN v_ranking_history.label IS 'genre, instrument or work: a reference that has the query''s own value there is relevant; a label that no reference has gives no row';
COMMENT ON COLUMN v_ranking_history.metric IS 'p_at_1, p_at_5, p_at_10: share of relevant references among the first answers, divided by 1, 5 or 10; mrr: one over the rank of the first relevant one; map: average precision of the full ranking';
COMMENT ON COLUMN v_ranking_history.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was; fusion: reciprocal rank fusion of all encoders';
COMMENT ON COLUMN v_ranking_history.n IS 'queries behind the mean';
COMMENT ON COLUMN v_ranking_history.left_out_n IS 'queries without the label, or to which no reference is relevant: left out';
COMMENT ON COLUMN v_ranking_history.mean IS 'mean over the queries, 0 to 1, higher is better; NULL where n is 0';
COMMENT ON COLUMN v_ranking_history.low IS 'lower end of the 95 % interval of the mean: percentile bootstrap over the queries; NULL where n is below 2';
COMMENT ON COLUMN v_ranking_history.high IS 'upper end of that interval';
COMMENT ON COLUMN v_ranking_history.revision IS 'of the encoder: compare within one alone; NULL for fusion';
COMMENT ON COLUMN v_ranking_history.licence_weights IS 'licence of the weights behind the number, which may bind what it is used for';
COMMENT ON COLUMN v_ranking_history.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_ranking_history.run_id IS 'the run that measured it';
COMMENT ON COLUMN v_ranking_history.finished_at IS 'when that run was finished';

CREATE VIEW v_ranking AS
SELECT * FROM v_ranking_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_ranking IS 'The latest run: how well each encoder ranks what shares a label with the query, by cosine and by CSLS side by side';
COMMENT ON COLUMN v_ranking.encoder IS 'name of the encoder; fusion: all encoders together, those with random weights left out';
COMMENT ON COLUMN v_ranking.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN v_ranking.label IS 'genre, instrument or work: a reference that has the query''s own value there is relevant; a label that no reference has gives no row';
COMMENT ON COLUMN v_ranking.metric IS 'p_at_1, p_at_5, p_at_10: share of relevant references among the first answers, divided by 1, 5 or 10; mrr: one over the rank of the first relevant one; map: average precision of the full ranking';
COMMENT ON COLUMN v_ranking.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was; fusion: reciprocal rank fusion of all encoders';
COMMENT ON COLUMN v_ranking.n IS 'queries behind the mean';
COMMENT ON COLUMN v_ranking.left_out_n IS 'queries without the label, or to which no reference is relevant: left out';
COMMENT ON COLUMN v_ranking.mean IS 'mean over the queries, 0 to 1, higher is better; NULL where n is 0';
COMMENT ON COLUMN v_ranking.low IS 'lower end of the 95 % interval of the mean: percentile bootstrap over the queries; NULL where n is below 2';
COMMENT ON COLUMN v_ranking.high IS 'upper end of that interval';
COMMENT ON COLUMN v_ranking.revision IS 'of the encoder: compare within one alone; NULL for fusion';
COMMENT ON COLUMN v_ranking.licence_weights IS 'licence of the weights behind the number, which may bind what it is used for';
COMMENT ON COLUMN v_ranking.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_ranking.run_id IS 'the run that measured it';
COMMENT ON COLUMN v_ranking.finished_at IS 'when that run was finished';

CREATE VIEW v_hubness_history AS
SELECT e.name AS encoder, s.queries, s.rerank, s.k, s.skewness, s.largest, t.title AS largest_reference,
    s.never_retrieved_share, s.n, s.references_n, s.largest_reference_id, e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    s.run_id, n.finished_at
FROM run_hubness s
JOIN run n USING (run_id)
JOIN encoder e USING (encoder_id)
JOIN track t ON t.track_id = s.largest_reference_id;

COMMENT ON VIEW v_hubness_history IS 'Every run: whether a few references are in everybody''s answers and many in nobody''s';
COMMENT ON COLUMN v_hubness_history.encoder IS 'name of the encoder';
COMMENT ON COLUMN v_hubness_history.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN v_hubness_history.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was';
COMMENT ON COLUMN v_hubness_history.k IS 'how many of the first answers of each query count: 1, 5 or 10';
COMMENT ON COLUMN v_hubness_history.skewness IS 'of N_k, how often each reference is among the first k answers (third standardised moment, population): 0 is even, higher means hubs; NULL where all are retrieved as often';
COMMENT ON COLUMN v_hubness_history.largest IS 'the largest N_k: queries that the most retrieved reference answers';
COMMENT ON COLUMN v_hubness_history.largest_reference IS 'title of that reference, the first by content hash of several; not unique';
COMMENT ON COLUMN v_hubness_history.never_retrieved_share IS 'share of references that are among nobody''s first k answers, 0 to 1';
COMMENT ON COLUMN v_hubness_history.n IS 'queries';
COMMENT ON COLUMN v_hubness_history.references_n IS 'references they were ranked against';
COMMENT ON COLUMN v_hubness_history.largest_reference_id IS 'its track';
COMMENT ON COLUMN v_hubness_history.revision IS 'of the encoder: compare within one alone';
COMMENT ON COLUMN v_hubness_history.licence_weights IS 'licence of the encoder''s weights, which may bind what the number is used for';
COMMENT ON COLUMN v_hubness_history.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_hubness_history.run_id IS 'the run that measured it';
COMMENT ON COLUMN v_hubness_history.finished_at IS 'when that run was finished';

CREATE VIEW v_hubness AS
SELECT * FROM v_hubness_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_hubness IS 'The latest run: whether a few references are in everybody''s answers, by cosine and by CSLS side by side';
COMMENT ON COLUMN v_hubness.encoder IS 'name of the encoder';
COMMENT ON COLUMN v_hubness.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN v_hubness.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was';
COMMENT ON COLUMN v_hubness.k IS 'how many of the first answers of each query count: 1, 5 or 10';
COMMENT ON COLUMN v_hubness.skewness IS 'of N_k, how often each reference is among the first k answers (third standardised moment, population): 0 is even, higher means hubs; NULL where all are retrieved as often';
COMMENT ON COLUMN v_hubness.largest IS 'the largest N_k: queries that the most retrieved reference answers';
COMMENT ON COLUMN v_hubness.largest_reference IS 'title of that reference, the first by content hash of several; not unique';
COMMENT ON COLUMN v_hubness.never_retrieved_share IS 'share of references that are among nobody''s first k answers, 0 to 1';
COMMENT ON COLUMN v_hubness.n IS 'queries';
COMMENT ON COLUMN v_hubness.references_n IS 'references they were ranked against';
COMMENT ON COLUMN v_hubness.largest_reference_id IS 'its track';
COMMENT ON COLUMN v_hubness.revision IS 'of the encoder: compare within one alone';
COMMENT ON COLUMN v_hubness.licence_weights IS 'licence of the encoder''s weights, which may bind what the number is used for';
COMMENT ON COLUMN v_hubness.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_hubness.run_id IS 'the run that measured it';
COMMENT ON COLUMN v_hubness.finished_at IS 'when that run was finished';

CREATE VIEW v_hubs AS
SELECT e.name AS encoder, s.queries, s.rerank, s.k, s.rank, t.title AS reference, s.retrieved_n,
    s.retrieved_n::double precision / h.n AS share, h.n, t.labels, s.reference_id, e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random,
    s.run_id
FROM run_hub s
JOIN run_hubness h USING (run_id, encoder_id, queries, rerank, k)
JOIN encoder e USING (encoder_id)
JOIN track t ON t.track_id = s.reference_id
WHERE s.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_hubs IS 'The latest run: the 20 references that are retrieved most';
COMMENT ON COLUMN v_hubs.encoder IS 'name of the encoder';
COMMENT ON COLUMN v_hubs.queries IS 'targets: every usable target; references: up to 1,000 references, chosen by content hash, each against all others';
COMMENT ON COLUMN v_hubs.rerank IS 'cosine: ranked by cosine; csls: the 50 nearest put in order by CSLS, the rest as it was';
COMMENT ON COLUMN v_hubs.k IS 'how many of the first answers of each query count: 1, 5 or 10';
COMMENT ON COLUMN v_hubs.rank IS '1 is the most retrieved; ties fall by content hash';
COMMENT ON COLUMN v_hubs.reference IS 'title of the reference; not unique, join by reference_id';
COMMENT ON COLUMN v_hubs.retrieved_n IS 'N_k: queries that have it among their first k answers';
COMMENT ON COLUMN v_hubs.share IS 'of all queries, 0 to 1';
COMMENT ON COLUMN v_hubs.n IS 'queries';
COMMENT ON COLUMN v_hubs.labels IS 'of the reference';
COMMENT ON COLUMN v_hubs.reference_id IS 'its track';
COMMENT ON COLUMN v_hubs.revision IS 'of the encoder: compare within one alone';
COMMENT ON COLUMN v_hubs.licence_weights IS 'licence of the encoder''s weights, which may bind what the number is used for';
COMMENT ON COLUMN v_hubs.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_hubs.run_id IS 'the run that measured it';

CREATE VIEW v_agreement AS
SELECT e.name AS encoder, o.name AS other, s.rbo, s.top1, s.n,
    e.revision, o.revision AS other_revision,
    concat_ws('; ', e.spec ->> 'licence_weights',
        nullif(o.spec ->> 'licence_weights', e.spec ->> 'licence_weights')) AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(o.spec ->> 'checkpoint' LIKE '%random%', false) AS random, s.run_id
FROM run_agreement s
JOIN encoder e USING (encoder_id)
JOIN encoder o ON o.encoder_id = s.other_id
WHERE s.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_agreement IS 'The latest run: how far two encoders give the same answers, ranked by cosine';
COMMENT ON COLUMN v_agreement.encoder IS 'name of one encoder';
COMMENT ON COLUMN v_agreement.other IS 'name of the other; each two stand there both ways round';
COMMENT ON COLUMN v_agreement.rbo IS 'mean rank-biased overlap of the 50 nearest references of a target, p = 0.9, extrapolated (Webber 2010): 0 disjoint to 1 equal';
COMMENT ON COLUMN v_agreement.top1 IS 'share of targets whose nearest reference is the same, 0 to 1';
COMMENT ON COLUMN v_agreement.n IS 'targets that both answer';
COMMENT ON COLUMN v_agreement.revision IS 'of the one';
COMMENT ON COLUMN v_agreement.other_revision IS 'of the other';
COMMENT ON COLUMN v_agreement.licence_weights IS 'licences of both encoders'' weights';
COMMENT ON COLUMN v_agreement.random IS 'true: one of them has random weights, the number says nothing about music';
COMMENT ON COLUMN v_agreement.run_id IS 'the run that measured it';

CREATE VIEW v_csls AS
SELECT e.name AS encoder, s.top1_equal, s.top10_overlap, s.targets_n, s.references_n, s.is_sample,
    s.kept, s.neighbourhood, s.base_n, s.base_targets_n, s.base_top1_equal, s.base_top10_overlap,
    e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random, s.run_id
FROM run_csls s
JOIN encoder e USING (encoder_id)
WHERE s.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_csls IS 'The latest run: how re-ranking by CSLS was computed, and how far it agrees with ranking all references by CSLS';
COMMENT ON COLUMN v_csls.encoder IS 'name of the encoder';
COMMENT ON COLUMN v_csls.top1_equal IS 'share of targets whose first answer by CSLS is the same whether 50 or all references are put in order, 0 to 1';
COMMENT ON COLUMN v_csls.top10_overlap IS 'mean share of the first ten answers that is the same then, 0 to 1';
COMMENT ON COLUMN v_csls.targets_n IS 'targets that the comparison with a full computation is over: all, or 1,000 chosen by content hash';
COMMENT ON COLUMN v_csls.references_n IS 'references of that comparison, r computed for each: all, or so many, chosen by content hash';
COMMENT ON COLUMN v_csls.is_sample IS 'true: the comparison is over a part of the targets or of the references';
COMMENT ON COLUMN v_csls.kept IS 'nearest references of a query that are put in order anew';
COMMENT ON COLUMN v_csls.neighbourhood IS 'nearest references that r is the mean cosine with; all there are where they are fewer';
COMMENT ON COLUMN v_csls.base_n IS 'references that r was computed over: all, or in a large library so many, chosen by content hash';
COMMENT ON COLUMN v_csls.base_targets_n IS 'targets, by content hash, at which the answers are compared with those of r over all references; NULL where r was computed over all';
COMMENT ON COLUMN v_csls.base_top1_equal IS 'share of these whose first answer is the same, 0 to 1';
COMMENT ON COLUMN v_csls.base_top10_overlap IS 'mean share of their first ten answers that is the same, 0 to 1';
COMMENT ON COLUMN v_csls.revision IS 'of the encoder: compare within one alone';
COMMENT ON COLUMN v_csls.licence_weights IS 'licence of the encoder''s weights, which may bind what the number is used for';
COMMENT ON COLUMN v_csls.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_csls.run_id IS 'the run that measured it';

CREATE VIEW v_reranked AS
SELECT e.name AS encoder, t.title AS target, r.title AS reference, a.cosine_rank, a.cosine, a.csls_rank, a.csls,
    a.target_id, a.reference_id, e.revision, e.spec ->> 'licence_weights' AS licence_weights,
    coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random, a.run_id
FROM (
    SELECT coalesce(s.encoder_id, a.encoder_id) AS encoder_id,
        coalesce(s.target_id, a.target_id) AS target_id,
        coalesce(s.reference_id, a.reference_id) AS reference_id,
        coalesce(s.rank, a.cosine_rank) AS cosine_rank, coalesce(s.cosine, a.cosine) AS cosine,
        a.rank AS csls_rank, a.score AS csls, latest.run_id
    FROM (SELECT max(run_id) AS run_id FROM run) latest
    CROSS JOIN (
        (SELECT * FROM served_neighbour WHERE to_run IS NULL) s
        FULL JOIN (
            SELECT * FROM run_answer
            WHERE method = 'csls' AND run_id = (SELECT max(run_id) FROM run)) a
        USING (encoder_id, target_id, reference_id))
) a
JOIN encoder e USING (encoder_id)
JOIN track t ON t.track_id = a.target_id
JOIN track r ON r.track_id = a.reference_id;

COMMENT ON VIEW v_reranked IS 'The latest run: the first ten answers by cosine and the first ten by CSLS, side by side';
COMMENT ON COLUMN v_reranked.encoder IS 'name of the encoder';
COMMENT ON COLUMN v_reranked.target IS 'title of the target; not unique';
COMMENT ON COLUMN v_reranked.reference IS 'title of the reference; not unique';
COMMENT ON COLUMN v_reranked.cosine_rank IS 'rank by cosine; 11 to 50 where CSLS alone has it among the first ten';
COMMENT ON COLUMN v_reranked.cosine IS 'of the two in the encoder''s space, -1 to 1';
COMMENT ON COLUMN v_reranked.csls_rank IS 'rank by CSLS, 1 to 10; NULL where it is no longer among the first ten';
COMMENT ON COLUMN v_reranked.csls IS 'twice the cosine less the mean cosine of either side with its ten nearest references; NULL with csls_rank';
COMMENT ON COLUMN v_reranked.target_id IS 'its track';
COMMENT ON COLUMN v_reranked.reference_id IS 'its track';
COMMENT ON COLUMN v_reranked.revision IS 'of the encoder: compare within one alone';
COMMENT ON COLUMN v_reranked.licence_weights IS 'licence of the encoder''s weights, which may bind what the number is used for';
COMMENT ON COLUMN v_reranked.random IS 'true: the encoder has random weights, the number says nothing about music';
COMMENT ON COLUMN v_reranked.run_id IS 'the latest run';

CREATE VIEW v_fusion AS
SELECT a.rank, t.title AS target, r.title AS reference, a.score, f.encoders,
    t.labels AS target_labels, r.labels AS reference_labels, a.target_id, a.reference_id,
    f.licence_weights, false AS random, a.run_id
FROM run_answer a
JOIN track t ON t.track_id = a.target_id
JOIN track r ON r.track_id = a.reference_id
CROSS JOIN LATERAL (
    SELECT array_agg(o.name ORDER BY o.name) AS encoders,
        string_agg(DISTINCT o.spec ->> 'licence_weights', '; ') AS licence_weights
    FROM run_encoder g JOIN encoder o USING (encoder_id)
    WHERE g.run_id = a.run_id AND NOT coalesce(o.spec ->> 'checkpoint' LIKE '%random%', false)) f
WHERE a.method = 'fusion' AND a.run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_fusion IS 'The latest run: each target''s first ten references by all encoders together';
COMMENT ON COLUMN v_fusion.rank IS '1 is the best; ties fall by content hash';
COMMENT ON COLUMN v_fusion.target IS 'title of the target; not unique';
COMMENT ON COLUMN v_fusion.reference IS 'title of the reference; not unique';
COMMENT ON COLUMN v_fusion.score IS 'sum over the encoders of 1 / (60 + rank), of the 50 nearest references of each';
COMMENT ON COLUMN v_fusion.encoders IS 'names of the encoders that took part: those that answer, random weights left out';
COMMENT ON COLUMN v_fusion.target_labels IS 'of the target';
COMMENT ON COLUMN v_fusion.reference_labels IS 'of the reference';
COMMENT ON COLUMN v_fusion.target_id IS 'its track';
COMMENT ON COLUMN v_fusion.reference_id IS 'its track';
COMMENT ON COLUMN v_fusion.licence_weights IS 'licences of all these encoders'' weights';
COMMENT ON COLUMN v_fusion.random IS 'false: encoders with random weights take no part';
COMMENT ON COLUMN v_fusion.run_id IS 'the latest run';

CREATE VIEW v_set_distance_history AS
SELECT r.name AS generator, s.mode, s.guidance, e.name AS encoder, s.metric, s.value, s.reason, s.is_finding,
    s.n, s.references_n, s.seconds, s.bandwidth, e.revision, r.revision AS generator_revision,
    concat_ws('; ', r.spec ->> 'licence_weights',
        nullif(e.spec ->> 'licence_weights', r.spec ->> 'licence_weights')) AS licence_weights,
    coalesce(r.spec ->> 'checkpoint' LIKE '%random%', false)
        OR coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false) AS random, s.run_id, n.finished_at
FROM run_set_distance s
JOIN run n USING (run_id)
JOIN generator r USING (generator_id)
JOIN encoder e USING (encoder_id);

COMMENT ON VIEW v_set_distance_history IS 'Every run: how far the clips of a mode lie, as a set, from the reference library';
COMMENT ON COLUMN v_set_distance_history.generator IS 'name of the generator';
COMMENT ON COLUMN v_set_distance_history.mode IS 'in which its clips were made';
COMMENT ON COLUMN v_set_distance_history.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN v_set_distance_history.encoder IS 'name of the encoder in whose space the distance is';
COMMENT ON COLUMN v_set_distance_history.metric IS 'kad: unbiased squared maximum mean discrepancy, Gaussian kernel, not scaled; fad_inf: Fréchet distance extrapolated to a set without end; compare within one encoder alone';
COMMENT ON COLUMN v_set_distance_history.value IS '0 is alike, higher is farther apart; either may go slightly below 0; NULL with a reason';
COMMENT ON COLUMN v_set_distance_history.reason IS 'why there is no value: too_few_clips (below 2 for kad, 8 for fad_inf), too_few_references (below 2) or no_spread (references all alike)';
COMMENT ON COLUMN v_set_distance_history.is_finding IS 'false: below 50 clips, a number that says nothing yet';
COMMENT ON COLUMN v_set_distance_history.n IS 'clips with different bytes';
COMMENT ON COLUMN v_set_distance_history.references_n IS 'references they are compared with: all for fad_inf, up to 4,000 chosen by content hash for kad';
COMMENT ON COLUMN v_set_distance_history.seconds IS 'how long the clips are together';
COMMENT ON COLUMN v_set_distance_history.bandwidth IS 'of the kernel: median distance between two of the references; NULL for fad_inf';
COMMENT ON COLUMN v_set_distance_history.revision IS 'of the encoder';
COMMENT ON COLUMN v_set_distance_history.generator_revision IS 'of the generator';
COMMENT ON COLUMN v_set_distance_history.licence_weights IS 'licences of the weights behind the number: the generator''s, then the encoder''s';
COMMENT ON COLUMN v_set_distance_history.random IS 'true: random weights made the clips or the number, which says nothing about music';
COMMENT ON COLUMN v_set_distance_history.run_id IS 'the run that measured it';
COMMENT ON COLUMN v_set_distance_history.finished_at IS 'when that run was finished';

CREATE VIEW v_set_distance AS
SELECT * FROM v_set_distance_history WHERE run_id = (SELECT max(run_id) FROM run);

COMMENT ON VIEW v_set_distance IS 'The latest run: how far the clips of a mode lie, as a set, from the reference library';
COMMENT ON COLUMN v_set_distance.generator IS 'name of the generator';
COMMENT ON COLUMN v_set_distance.mode IS 'in which its clips were made';
COMMENT ON COLUMN v_set_distance.guidance IS 'classifier-free guidance scale; NULL where the generator has none';
COMMENT ON COLUMN v_set_distance.encoder IS 'name of the encoder in whose space the distance is';
COMMENT ON COLUMN v_set_distance.metric IS 'kad: unbiased squared maximum mean discrepancy, Gaussian kernel, not scaled; fad_inf: Fréchet distance extrapolated to a set without end; compare within one encoder alone';
COMMENT ON COLUMN v_set_distance.value IS '0 is alike, higher is farther apart; either may go slightly below 0; NULL with a reason';
COMMENT ON COLUMN v_set_distance.reason IS 'why there is no value: too_few_clips (below 2 for kad, 8 for fad_inf), too_few_references (below 2) or no_spread (references all alike)';
COMMENT ON COLUMN v_set_distance.is_finding IS 'false: below 50 clips, a number that says nothing yet';
COMMENT ON COLUMN v_set_distance.n IS 'clips with different bytes';
COMMENT ON COLUMN v_set_distance.references_n IS 'references they are compared with: all for fad_inf, up to 4,000 chosen by content hash for kad';
COMMENT ON COLUMN v_set_distance.seconds IS 'how long the clips are together';
COMMENT ON COLUMN v_set_distance.bandwidth IS 'of the kernel: median distance between two of the references; NULL for fad_inf';
COMMENT ON COLUMN v_set_distance.revision IS 'of the encoder';
COMMENT ON COLUMN v_set_distance.generator_revision IS 'of the generator';
COMMENT ON COLUMN v_set_distance.licence_weights IS 'licences of the weights behind the number: the generator''s, then the encoder''s';
COMMENT ON COLUMN v_set_distance.random IS 'true: random weights made the clips or the number, which says nothing about music';
COMMENT ON COLUMN v_set_distance.run_id IS 'the run that measured it';
COMMENT ON COLUMN v_set_distance.finished_at IS 'when that run was finished';

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON run_ranking, run_hubness, run_hub, run_agreement, run_csls, run_answer,
    run_set_distance TO mirpipe_app;
