SET LOCAL search_path = mirpipe, public;

CREATE TABLE gate_verdict (
    gate text NOT NULL,
    run_id bigint NOT NULL REFERENCES run,
    rule text NOT NULL,
    number smallint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('mean', 'change', 'coverage', 'findings', 'pending', 'age')),
    verdict text NOT NULL CHECK (verdict IN ('passed', 'failed', 'undecided')),
    value double precision,
    low double precision,
    high double precision,
    at_least double precision,
    at_most double precision,
    n integer,
    detail text NOT NULL,
    judged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gate, run_id, rule),
    CHECK ((low IS NULL) = (high IS NULL)),
    CHECK (verdict = 'undecided' OR value IS NOT NULL)
);
COMMENT ON TABLE gate_verdict IS 'Verdicts of mirpipe gate, one row per gate, run, judgement and rule. A verdict that changes while no new run is published begins a new judgement. Otherwise, the new verdicts replace those of the last judgement.';

CREATE TABLE gate_notice (
    gate text PRIMARY KEY,
    verdict text NOT NULL CHECK (verdict IN ('passed', 'failed', 'undecided')),
    announced_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE gate_notice IS 'The verdict of each gate that was last announced to the addresses in MIRPIPE_NOTIFY. A message is sent only if the verdict differs from it.';
COMMENT ON COLUMN gate_notice.verdict IS 'Verdict of the complete gate: failed if a rule failed, otherwise undecided if a rule is undecided, otherwise passed.';
COMMENT ON COLUMN gate_notice.announced_at IS 'Time at which the verdict was announced.';

GRANT SELECT ON gate_verdict, gate_notice TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON gate_verdict, gate_notice TO mirpipe_app;
