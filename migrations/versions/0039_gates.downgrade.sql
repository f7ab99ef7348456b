SET LOCAL search_path = mirpipe, public;

DROP TABLE gate_verdict, gate_notice;
