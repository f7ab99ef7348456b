SET LOCAL search_path = mirpipe, public;

CREATE TABLE listening_result (
    listening_test_id integer PRIMARY KEY REFERENCES listening_test,
    votes_n bigint NOT NULL CHECK (votes_n >= 0),
    last_vote_at timestamptz,
    computed_run bigint NOT NULL REFERENCES run,
    computed_at timestamptz NOT NULL DEFAULT now(),
    results jsonb NOT NULL
);
COMMENT ON TABLE listening_result IS 'Results of listening tests, as they were last computed. They contain sums over listeners. A withdrawal deletes them, until the next report computes them again.';
COMMENT ON COLUMN listening_result.votes_n IS 'Number of votes from which the results were computed.';
COMMENT ON COLUMN listening_result.last_vote_at IS 'Time of the last of these votes. NULL if there were none.';
COMMENT ON COLUMN listening_result.computed_run IS 'Latest run when the results were computed, whose metrics they contain; key in the table run.';
COMMENT ON COLUMN listening_result.computed_at IS 'Time at which the results were computed.';
COMMENT ON COLUMN listening_result.results IS 'The results as JSON, as mirpipe listening results --json prints them.';

GRANT SELECT ON listening_result TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON listening_result TO mirpipe_app;

-- Readers see what listeners answered only in listening_result and in views, as sums over listeners.
REVOKE SELECT ON listener, vote FROM mirpipe_read;

-- The stored results contain the votes of a listener who withdraws, so they are deleted, too.
CREATE OR REPLACE FUNCTION listener_withdraw(p_token text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    WITH withdrawn AS (
        DELETE FROM listener WHERE token_sha256 = sha256(convert_to(p_token, 'UTF8'))
        RETURNING listening_test_id),
    outdated AS (
        DELETE FROM listening_result
        WHERE listening_test_id IN (SELECT listening_test_id FROM withdrawn))
    SELECT EXISTS (SELECT FROM withdrawn)
$$;

CREATE TABLE revision_comparison (
    kind text NOT NULL CHECK (kind IN ('encoder', 'captioner', 'generator')),
    name text NOT NULL,
    old_revision text NOT NULL,
    new_revision text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('better', 'not worse', 'worse', 'undecided')),
    sentences text[] NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE revision_comparison IS 'The last comparison of the active and the configured revision of each plug-in, by mirpipe compare or by a report that decides about a promotion.';
COMMENT ON COLUMN revision_comparison.kind IS 'encoder, captioner or generator.';
COMMENT ON COLUMN revision_comparison.name IS 'Name of the plug-in.';
COMMENT ON COLUMN revision_comparison.old_revision IS 'Revision that was active.';
COMMENT ON COLUMN revision_comparison.new_revision IS 'Revision that was configured.';
COMMENT ON COLUMN revision_comparison.verdict IS 'better, not worse, worse or undecided, on all metrics with a margin together.';
COMMENT ON COLUMN revision_comparison.sentences IS 'What changes, in the words of mirpipe compare.';
COMMENT ON COLUMN revision_comparison.compared_at IS 'Time of the comparison.';

GRANT SELECT ON revision_comparison TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON revision_comparison TO mirpipe_app;

CREATE TABLE shown_clip (
    generation_id bigint NOT NULL REFERENCES generation ON DELETE CASCADE,
    from_run bigint NOT NULL REFERENCES run,
    to_run bigint REFERENCES run,
    PRIMARY KEY (generation_id, from_run)
);
CREATE UNIQUE INDEX shown_clip_current ON shown_clip (generation_id) WHERE to_run IS NULL;
COMMENT ON TABLE shown_clip IS 'Clips that were in the results. A row is valid from from_run up to, but not including, to_run. Runs that an older version published are not recorded.';
COMMENT ON COLUMN shown_clip.generation_id IS 'Clip; key in the table generation.';
COMMENT ON COLUMN shown_clip.from_run IS 'First run whose results contain the clip; key in the table run.';
COMMENT ON COLUMN shown_clip.to_run IS 'First run whose results no longer contain the clip; key in the table run. NULL if they still do.';

GRANT SELECT ON shown_clip TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON shown_clip TO mirpipe_app;

ALTER TABLE embedding_batch ADD COLUMN peak_memory_bytes bigint CHECK (peak_memory_bytes > 0);
COMMENT ON COLUMN embedding_batch.peak_memory_bytes IS 'Largest memory of the process, or of the GPU if the encoder computed on one, from the loading of the encoder to the end of the batch, in bytes. NULL if it was not measured.';
