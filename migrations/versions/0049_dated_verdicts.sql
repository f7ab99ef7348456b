SET LOCAL search_path = mirpipe, public;

ALTER TABLE revision_comparison ADD margins text[];
COMMENT ON COLUMN revision_comparison.margins IS 'Margins with which the verdict was computed, each as METRIC=MARGIN in the unit of the metric. NULL if the row is older than this column.';

-- A gate can also judge a run again, for example because no new run is published.
ALTER TABLE gate_verdict ADD judgement integer NOT NULL DEFAULT 1 CHECK (judgement >= 1);
ALTER TABLE gate_verdict DROP CONSTRAINT gate_verdict_pkey,
    ADD PRIMARY KEY (gate, run_id, judgement, rule);

-- The first run with a primary metric dates its choice. An older run says it by its comparisons.
ALTER TABLE run ADD primary_retrieval_metric text, ADD primary_generation_metric text;
COMMENT ON COLUMN run.primary_retrieval_metric IS 'Metric that was tested first when encoders were compared. NULL if an older version of mirpipe published the run and its comparisons do not say it.';
COMMENT ON COLUMN run.primary_generation_metric IS 'Metric that was tested first when modes were compared. NULL if an older version of mirpipe published the run and its comparisons do not say it.';
UPDATE run r SET
    primary_retrieval_metric = (
        SELECT min(c.metric) FROM run_comparison c
        WHERE (c.run_id, c.kind, c.role) = (r.run_id, 'retrieval', 'primary')),
    primary_generation_metric = (
        SELECT min(c.metric) FROM run_comparison c
        WHERE (c.run_id, c.kind, c.role) = (r.run_id, 'generation', 'primary'));

ALTER TABLE run_comparison ADD equal_n integer;
