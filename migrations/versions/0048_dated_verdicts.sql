SET LOCAL search_path = mirpipe, public;

ALTER TABLE revision_comparison ADD margins text[];
COMMENT ON COLUMN revision_comparison.margins IS 'Margins with which the verdict was computed, each as METRIC=MARGIN in the unit of the metric. NULL if the row is older than this column.';

-- A gate can also judge a run again, for example because no new run is published.
ALTER TABLE gate_verdict ADD judgement integer NOT NULL DEFAULT 1 CHECK (judgement >= 1);
ALTER TABLE gate_verdict DROP CONSTRAINT gate_verdict_pkey,
    ADD PRIMARY KEY (gate, run_id, judgement, rule);
