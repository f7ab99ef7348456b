SET LOCAL search_path = mirpipe, public;

DELETE FROM gate_verdict g USING gate_verdict later
WHERE (later.gate, later.run_id) = (g.gate, g.run_id) AND later.judgement > g.judgement;
ALTER TABLE gate_verdict DROP CONSTRAINT gate_verdict_pkey,
    ADD PRIMARY KEY (gate, run_id, rule);
ALTER TABLE gate_verdict DROP judgement;

ALTER TABLE revision_comparison DROP margins;
ALTER TABLE run DROP primary_retrieval_metric, DROP primary_generation_metric;
ALTER TABLE run_comparison DROP equal_n;
