SET LOCAL search_path = mirpipe, public;

-- Earlier versions have no comparison with a p-value but without a corrected one.
ALTER TABLE run_comparison DROP CONSTRAINT run_comparison_check5;
UPDATE run_comparison SET p = NULL, method = NULL WHERE p_adjusted IS NULL;
ALTER TABLE run_comparison DROP COLUMN role;
ALTER TABLE run_comparison RENAME p_adjusted TO p_holm;
ALTER TABLE run_comparison ADD CONSTRAINT run_comparison_check5 CHECK (
    (p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL)
    AND (p IS NULL) = (reason IS NOT NULL));

ALTER TABLE published_comparison DROP CONSTRAINT published_comparison_check2;
UPDATE published_comparison SET p = NULL, method = NULL WHERE p_adjusted IS NULL;
ALTER TABLE published_comparison DROP COLUMN role;
ALTER TABLE published_comparison RENAME p_adjusted TO p_holm;
ALTER TABLE published_comparison ADD CONSTRAINT published_comparison_check2 CHECK (
    (p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL)
    AND (p IS NULL) = (reason IS NOT NULL));

-- Rankings of 2 to 4 queries have no interval any more, so the constraint is not checked for them.
ALTER TABLE run_ranking DROP CONSTRAINT run_ranking_check2;
ALTER TABLE run_ranking DROP COLUMN interval_reason;
ALTER TABLE run_ranking ADD CONSTRAINT run_ranking_check2 CHECK (
    (n < 2) = (low IS NULL) AND (low IS NULL) = (high IS NULL)) NOT VALID;
