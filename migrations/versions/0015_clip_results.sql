SET LOCAL search_path = mirpipe, public;

ALTER TABLE run_generation_summary
    ADD clips_n integer,
    ADD averaged_over text NOT NULL DEFAULT 'targets' CHECK (averaged_over IN ('targets', 'clips'));
ALTER TABLE run_group_summary
    ADD clips_n integer,
    ADD averaged_over text NOT NULL DEFAULT 'targets' CHECK (averaged_over IN ('targets', 'clips'));
-- If every target has one value, the mean over clips is the mean over targets.
UPDATE run_generation_summary SET clips_n = n,
    averaged_over = CASE WHEN n = targets_n THEN 'targets' ELSE 'clips' END;
UPDATE run_group_summary SET clips_n = n,
    averaged_over = CASE WHEN n = targets_n THEN 'targets' ELSE 'clips' END
WHERE generator_id IS NOT NULL;

ALTER TABLE run_comparison ADD than_mean double precision;
COMMENT ON COLUMN run_comparison.than_mean IS 'Mean of the second encoder or mode over the n targets that have both values. NULL if n is 0, and in runs made before this column was introduced.';
