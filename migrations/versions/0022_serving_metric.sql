SET LOCAL search_path = mirpipe, public;

CREATE TABLE serving_metric (
    name text PRIMARY KEY,
    metric_id integer NOT NULL REFERENCES metric
);
COMMENT ON TABLE serving_metric IS 'The active revision for each metric name. The active revision changes when a new revision has a score for everything that the old one has a score for.';
COMMENT ON COLUMN serving_metric.metric_id IS 'Active revision, whose scores are shown; key in the table metric.';
GRANT SELECT ON serving_metric TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON serving_metric TO mirpipe_app;

-- Until now, the configured revision was shown as soon as it was registered.
INSERT INTO serving_metric (name, metric_id)
SELECT DISTINCT ON (name) name, metric_id FROM metric ORDER BY name, wanted DESC, metric_id DESC;
