SET LOCAL search_path = mirpipe, public;

CREATE TABLE listening_result (
    listening_test_id integer PRIMARY KEY REFERENCES listening_test,
    votes_n bigint NOT NULL CHECK (votes_n >= 0),
    last_vote_at timestamptz,
    computed_at timestamptz NOT NULL DEFAULT now(),
    results jsonb NOT NULL
);
COMMENT ON TABLE listening_result IS 'Results of listening tests, as they were last computed. They contain no vote of a single listener.';
COMMENT ON COLUMN listening_result.votes_n IS 'Number of votes from which the results were computed.';
COMMENT ON COLUMN listening_result.last_vote_at IS 'Time of the last of these votes. NULL if there were none.';
COMMENT ON COLUMN listening_result.computed_at IS 'Time at which the results were computed.';
COMMENT ON COLUMN listening_result.results IS 'The results as JSON, as mirpipe listening results --json prints them.';

GRANT SELECT ON listening_result TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON listening_result TO mirpipe_app;

-- Readers see what listeners answered only in views, which add up the votes.
REVOKE SELECT ON listener, vote FROM mirpipe_read;
