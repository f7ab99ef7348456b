SET LOCAL search_path = mirpipe, public;

-- Rows of newer runs break the older constraints, so these are not checked for existing rows.
ALTER TABLE run_comparison DROP CONSTRAINT run_comparison_check5;
ALTER TABLE run_comparison DROP COLUMN role;
ALTER TABLE run_comparison RENAME p_adjusted TO p_holm;
ALTER TABLE run_comparison ADD CONSTRAINT run_comparison_check5 CHECK (
    (p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL)
    AND (p IS NULL) = (reason IS NOT NULL)) NOT VALID;

ALTER TABLE published_comparison DROP CONSTRAINT published_comparison_check2;
ALTER TABLE published_comparison DROP COLUMN role;
ALTER TABLE published_comparison RENAME p_adjusted TO p_holm;
ALTER TABLE published_comparison ADD CONSTRAINT published_comparison_check2 CHECK (
    (p IS NULL) = (p_holm IS NULL) AND (p IS NULL) = (method IS NULL)
    AND (p IS NULL) = (reason IS NOT NULL)) NOT VALID;

ALTER TABLE run_ranking DROP CONSTRAINT run_ranking_check2;
ALTER TABLE run_ranking DROP COLUMN interval_reason;
ALTER TABLE run_ranking ADD CONSTRAINT run_ranking_check2 CHECK (
    (n < 2) = (low IS NULL) AND (low IS NULL) = (high IS NULL)) NOT VALID;
