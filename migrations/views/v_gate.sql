CREATE OR REPLACE VIEW v_gate AS
SELECT g.gate, g.run_id, n.finished_at, g.number, g.rule, g.kind, g.verdict, g.value, g.low, g.high,
    g.at_least, g.at_most, g.n, g.detail, g.judged_at, g.judgement
FROM gate_verdict g
JOIN run n USING (run_id);

COMMENT ON VIEW v_gate IS 'Verdicts of mirpipe gate on each run, one row per gate, run, judgement and rule.';
