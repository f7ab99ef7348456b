SET LOCAL search_path = mirpipe, public;

ALTER TABLE run_comparison RENAME p_holm TO p_adjusted;
ALTER TABLE run_comparison ADD role text
    CHECK (role IN ('primary', 'secondary', 'exploratory', 'random'));
ALTER TABLE run_comparison DROP CONSTRAINT run_comparison_check5;
ALTER TABLE run_comparison ADD CONSTRAINT run_comparison_check5 CHECK (
    (p IS NULL) = (method IS NULL) AND (p IS NOT NULL OR p_adjusted IS NULL)
    AND (p_adjusted IS NULL) = (reason IS NOT NULL));

ALTER TABLE published_comparison RENAME p_holm TO p_adjusted;
ALTER TABLE published_comparison ADD role text
    CHECK (role IN ('primary', 'secondary', 'exploratory', 'random'));
ALTER TABLE published_comparison DROP CONSTRAINT published_comparison_check2;
ALTER TABLE published_comparison ADD CONSTRAINT published_comparison_check2 CHECK (
    (p IS NULL) = (method IS NULL) AND (p_adjusted IS NULL) = (reason IS NOT NULL));

ALTER TABLE run_ranking ADD interval_reason text;
ALTER TABLE run_ranking DROP CONSTRAINT run_ranking_check2;
UPDATE run_ranking SET interval_reason = CASE n WHEN 0 THEN 'no_query' ELSE 'too_few_queries' END
WHERE low IS NULL;
ALTER TABLE run_ranking ADD CONSTRAINT run_ranking_check2 CHECK (
    (low IS NULL) = (high IS NULL) AND (low IS NULL) = (interval_reason IS NOT NULL));
