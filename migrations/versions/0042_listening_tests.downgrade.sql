SET LOCAL search_path = mirpipe, public;

DROP FUNCTION listener_progress, listener_consent, listener_question, listener_audio,
    listener_vote, listener_votes, listener_withdraw;
DROP TABLE vote, listener, listening_question, listening_test;
REVOKE USAGE ON SCHEMA mirpipe FROM mirpipe_listener;
