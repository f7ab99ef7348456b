SET LOCAL search_path = mirpipe, public;

CREATE TABLE listening_test (
    listening_test_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('answers', 'clips', 'rating')),
    run_id bigint NOT NULL REFERENCES run,
    seed bigint NOT NULL,
    options jsonb NOT NULL,
    sheets integer NOT NULL CHECK (sheets > 0),
    excerpt_seconds double precision NOT NULL CHECK (excerpt_seconds > 0),
    min_controls double precision NOT NULL CHECK (min_controls BETWEEN 0 AND 1),
    consent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE listening_test IS 'Listening tests: what people are asked about the answers or clips of a run. The questions are in listening_question.';
COMMENT ON COLUMN listening_test.listening_test_id IS 'Number of the listening test.';
COMMENT ON COLUMN listening_test.name IS 'Name of the listening test.';
COMMENT ON COLUMN listening_test.kind IS 'answers: which of two matches is more similar to the target? clips: the same for two clips, and which is better music? rating: how similar is one match or clip to the target, from 1 to 5?';
COMMENT ON COLUMN listening_test.run_id IS 'Run whose matches or clips are compared; key in the table run.';
COMMENT ON COLUMN listening_test.seed IS 'Seed from which the questions, their order and their sides were drawn.';
COMMENT ON COLUMN listening_test.options IS 'Options of the command that created the test.';
COMMENT ON COLUMN listening_test.sheets IS 'Number of sheets. A listener gets the questions of one sheet. All sheets compare each pair equally often.';
COMMENT ON COLUMN listening_test.excerpt_seconds IS 'Length of the excerpts that listeners hear, from the middle of each track, in seconds.';
COMMENT ON COLUMN listening_test.min_controls IS 'Share (0 to 1) of the answered controls that a listener must pass for the votes to count. It is fixed before the first vote.';
COMMENT ON COLUMN listening_test.consent IS 'Text that a listener must accept before the first question.';
COMMENT ON COLUMN listening_test.created_at IS 'Time at which the test was created.';

CREATE TABLE listening_question (
    question_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listening_test_id integer NOT NULL REFERENCES listening_test,
    sheet integer NOT NULL,
    number integer NOT NULL,
    criterion text NOT NULL CHECK (criterion IN ('similarity', 'quality')),
    control text CHECK (control IN ('copy', 'random')),
    target_id bigint NOT NULL REFERENCES track,
    first_id bigint NOT NULL REFERENCES track,
    second_id bigint REFERENCES track,
    first_subject text,
    second_subject text,
    UNIQUE (listening_test_id, sheet, number),
    CHECK (control IS NOT NULL OR first_subject IS NOT NULL),
    CHECK (control IS NOT NULL OR (second_id IS NULL) = (second_subject IS NULL)),
    CHECK (control IS NULL OR (first_subject IS NULL AND second_subject IS NULL))
);
COMMENT ON TABLE listening_question IS 'Questions of listening tests: a target with two tracks to compare, or with one track to rate.';
COMMENT ON COLUMN listening_question.question_id IS 'Number of the question.';
COMMENT ON COLUMN listening_question.sheet IS 'Sheet that contains the question, from 0.';
COMMENT ON COLUMN listening_question.number IS 'Position of the question in its sheet, from 0.';
COMMENT ON COLUMN listening_question.criterion IS 'similarity: to the target. quality: which is better music? Then the target is not played.';
COMMENT ON COLUMN listening_question.control IS 'copy: the first track is the target itself, and the second one, if any, is a random reference. random: the first track is a random reference. NULL if the question is not a control.';
COMMENT ON COLUMN listening_question.first_id IS 'First track; key in the table track.';
COMMENT ON COLUMN listening_question.second_id IS 'Second track; key in the table track. NULL if one track is rated.';
COMMENT ON COLUMN listening_question.first_subject IS 'Encoder that found the first track, or generator, mode and guidance that generated it. NULL for a control.';
COMMENT ON COLUMN listening_question.second_subject IS 'Encoder that found the second track, or generator, mode and guidance that generated it. NULL for a control, and if one track is rated.';

CREATE TABLE listener (
    listener_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listening_test_id integer NOT NULL REFERENCES listening_test,
    number integer NOT NULL CHECK (number >= 0),
    token_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(token_sha256) = 32),
    consented_at timestamptz,
    UNIQUE (listening_test_id, number)
);
COMMENT ON TABLE listener IS 'Listeners of listening tests. Nothing is stored about a person. A listener who withdraws is deleted with all votes.';
COMMENT ON COLUMN listener.listener_id IS 'Number of the listener.';
COMMENT ON COLUMN listener.number IS 'Number of the listener in the test, from 0. It determines the sheet, the order and the sides.';
COMMENT ON COLUMN listener.token_sha256 IS 'SHA-256 of the token in the listener''s link. The token itself is not stored.';
COMMENT ON COLUMN listener.consented_at IS 'Time at which the listener accepted the consent text. NULL before that.';

CREATE TABLE vote (
    listener_id bigint NOT NULL REFERENCES listener ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    question_id bigint NOT NULL REFERENCES listening_question,
    is_swapped boolean NOT NULL,
    answer smallint CHECK (answer BETWEEN -1 AND 5),
    answered_at timestamptz,
    PRIMARY KEY (listener_id, position),
    CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CREATE INDEX vote_question ON vote (question_id);
COMMENT ON TABLE vote IS 'What each listener is asked, in order, and the votes. If a question occurs twice for a listener, the later one is a repeat.';
COMMENT ON COLUMN vote.listener_id IS 'Listener; key in the table listener.';
COMMENT ON COLUMN vote.position IS 'Position of the question for this listener, from 0.';
COMMENT ON COLUMN vote.question_id IS 'Question; key in the table listening_question.';
COMMENT ON COLUMN vote.is_swapped IS 'true if the first track is shown on the right.';
COMMENT ON COLUMN vote.answer IS 'For two tracks: 1 for the first track, -1 for the second one, 0 for no difference. For a rating: 1 to 5. NULL if not answered yet.';
COMMENT ON COLUMN vote.answered_at IS 'Time of the vote. NULL if not answered yet.';

GRANT SELECT ON listening_test, listening_question, listener, vote TO mirpipe_app, mirpipe_read;
GRANT INSERT, UPDATE, DELETE ON listening_test, listening_question, listener, vote TO mirpipe_app;

-- The pages of listening tests connect as mirpipe_listener, which has no privilege on any table. All
-- it can do is to call these functions, each with the token of one listener. They run as their owner.

CREATE FUNCTION listener_progress(p_token text)
RETURNS TABLE (kind text, consent text, has_consented boolean, answered_n bigint, questions_n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    SELECT t.kind, t.consent, l.consented_at IS NOT NULL, count(v.answer), count(v.position)
    FROM listener l JOIN listening_test t USING (listening_test_id) LEFT JOIN vote v USING (listener_id)
    WHERE l.token_sha256 = sha256(convert_to(p_token, 'UTF8'))
    GROUP BY t.listening_test_id, l.listener_id
$$;

CREATE FUNCTION listener_consent(p_token text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    WITH consented AS (
        UPDATE listener SET consented_at = coalesce(consented_at, now())
        WHERE token_sha256 = sha256(convert_to(p_token, 'UTF8')) RETURNING 1)
    SELECT EXISTS (SELECT FROM consented)
$$;

CREATE FUNCTION listener_question(p_token text, p_position integer DEFAULT NULL)
RETURNS TABLE ("position" integer, criterion text, is_rating boolean, answer integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    SELECT v.position, q.criterion, q.second_id IS NULL,
        CASE WHEN q.second_id IS NOT NULL AND v.is_swapped THEN -v.answer ELSE v.answer END
    FROM listener l JOIN vote v USING (listener_id) JOIN listening_question q USING (question_id)
    WHERE l.token_sha256 = sha256(convert_to(p_token, 'UTF8')) AND l.consented_at IS NOT NULL
      AND CASE WHEN p_position IS NULL THEN v.answer IS NULL ELSE v.position = p_position END
    ORDER BY v.position LIMIT 1
$$;

CREATE FUNCTION listener_audio(p_token text, p_position integer, p_part text)
RETURNS TABLE (path bytea, etag text, start_seconds double precision, seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    -- The copy of a target starts up to two seconds earlier, so it is a near copy.
    SELECT f.path, f.etag,
        m.start - CASE WHEN q.control = 'copy' AND p_part <> 'target' AND t.track_id = q.target_id
            THEN least(2, m.start) ELSE 0 END,
        least(t.seconds, e.excerpt_seconds)
    FROM listener l JOIN listening_test e USING (listening_test_id)
    JOIN vote v USING (listener_id) JOIN listening_question q USING (question_id)
    JOIN track t ON t.track_id = CASE
        WHEN p_part = 'target' AND q.criterion = 'similarity' THEN q.target_id
        WHEN (p_part, v.is_swapped) IN (('left', false), ('right', true)) THEN q.first_id
        WHEN (p_part, v.is_swapped) IN (('left', true), ('right', false)) THEN q.second_id END
    CROSS JOIN LATERAL (SELECT greatest(0, (t.seconds - e.excerpt_seconds) / 2)) m (start)
    JOIN track_file f ON f.track_id = t.track_id AND f.gone_at IS NULL
    WHERE l.token_sha256 = sha256(convert_to(p_token, 'UTF8')) AND l.consented_at IS NOT NULL
      AND v.position = p_position
    ORDER BY f.path LIMIT 1
$$;

CREATE FUNCTION listener_vote(p_token text, p_position integer, p_answer integer) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    WITH voted AS (
        UPDATE vote v SET answered_at = now(),
            answer = CASE WHEN q.second_id IS NOT NULL AND v.is_swapped THEN -p_answer ELSE p_answer END
        FROM listener l, listening_question q
        WHERE l.token_sha256 = sha256(convert_to(p_token, 'UTF8')) AND l.consented_at IS NOT NULL
          AND v.listener_id = l.listener_id AND v.position = p_position
          AND q.question_id = v.question_id
          AND p_answer BETWEEN CASE WHEN q.second_id IS NULL THEN 1 ELSE -1 END
              AND CASE WHEN q.second_id IS NULL THEN 5 ELSE 1 END
        RETURNING 1)
    SELECT EXISTS (SELECT FROM voted)
$$;

CREATE FUNCTION listener_votes(p_token text)
RETURNS TABLE ("position" integer, criterion text, is_rating boolean, answer integer, answered_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    SELECT v.position, q.criterion, q.second_id IS NULL,
        CASE WHEN q.second_id IS NOT NULL AND v.is_swapped THEN -v.answer ELSE v.answer END, v.answered_at
    FROM listener l JOIN vote v USING (listener_id) JOIN listening_question q USING (question_id)
    WHERE l.token_sha256 = sha256(convert_to(p_token, 'UTF8')) AND v.answer IS NOT NULL
    ORDER BY v.position
$$;

CREATE FUNCTION listener_withdraw(p_token text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mirpipe, pg_temp AS $$
    WITH withdrawn AS (
        DELETE FROM listener WHERE token_sha256 = sha256(convert_to(p_token, 'UTF8')) RETURNING 1)
    SELECT EXISTS (SELECT FROM withdrawn)
$$;

REVOKE EXECUTE ON FUNCTION listener_progress, listener_consent, listener_question, listener_audio,
    listener_vote, listener_votes, listener_withdraw FROM PUBLIC;
GRANT USAGE ON SCHEMA mirpipe TO mirpipe_listener;
GRANT EXECUTE ON FUNCTION listener_progress, listener_consent, listener_question, listener_audio,
    listener_vote, listener_votes, listener_withdraw TO mirpipe_listener;
