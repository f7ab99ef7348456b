SET LOCAL search_path = mirpipe, public;

DROP TABLE serving_captioner;
