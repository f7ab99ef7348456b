SET LOCAL search_path = mirpipe, public;

-- A full ranking sorts the whole library, so a large library measures its rankings on a sample.
ALTER TABLE run ADD ranked_targets integer CHECK (ranked_targets > 0);
COMMENT ON COLUMN run.ranked_targets IS 'Largest number of targets per encoder on which rankings were measured: P@k, MRR, mAP, hubs, CSLS, fusion and the agreement of encoders. They are the targets with the lowest content hashes, which is a random sample. NULL if all targets were used.';
