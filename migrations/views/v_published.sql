CREATE OR REPLACE VIEW v_published AS
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

COMMENT ON VIEW v_published IS 'Published means, standard deviations and changes, compared with the values computed from the printed lines. Sort the rows by place.';
COMMENT ON COLUMN v_published.subject IS 'Encoder or mode.';
COMMENT ON COLUMN v_published.than_subject IS 'For a change, the second mode, which the first one is compared with. NULL for means and standard deviations.';
COMMENT ON COLUMN v_published.number IS 'Kind of number: mean, sd (population) or "change, percent".';
COMMENT ON COLUMN v_published.printed IS 'Number as printed, with the same number of decimals.';
COMMENT ON COLUMN v_published.recomputed IS 'Number computed from the printed lines.';
COMMENT ON COLUMN v_published.agrees IS 'true if the recomputed number equals the printed one after rounding to the same number of decimals.';
COMMENT ON COLUMN v_published.discrepancy IS 'Known reason why the two numbers differ. NULL if they should agree.';
COMMENT ON COLUMN v_published.licence_weights IS 'Always NULL, because the licence was not printed.';
COMMENT ON COLUMN v_published.random IS 'Always false, because no published number comes from random weights.';
COMMENT ON COLUMN v_published.place IS 'Position in the report.';
