SET LOCAL search_path = mirpipe, public;

-- Tables ----------------------------------------------------------------------------------------

COMMENT ON SCHEMA mirpipe IS 'Music information retrieval: views named v_ are made to be read and keep their columns; tables may change';
COMMENT ON TABLE encoder IS 'A row a revision of a plug-in that turns tracks into vectors';
COMMENT ON TABLE metric IS 'A row a revision of a number about a track or about two';
COMMENT ON TABLE captioner IS 'A row a revision of a plug-in that describes tracks in words';
COMMENT ON TABLE generator IS 'A row a revision of a plug-in that makes music';

COMMENT ON COLUMN track.labels IS 'what the manifest says of it, such as genre, instrument and work';
COMMENT ON COLUMN track.changed_at IS 'when its state, title or labels last changed';
COMMENT ON COLUMN track_file.bytes IS 'size of the file';
COMMENT ON COLUMN track_file.mtime_ns IS 'time of its last change, nanoseconds since 1970: a file with the size and time of before is not read again';
COMMENT ON COLUMN track_file.reason IS 'why the file was rejected; NULL where it was not';
COMMENT ON COLUMN track_file.seen_at IS 'when it was last read';
COMMENT ON COLUMN track_file.gone_at IS 'when it was first missed; NULL: it is there';

COMMENT ON COLUMN embedding.embedding IS 'float32, of length 1, of the encoder''s dimension';
COMMENT ON COLUMN embedding_batch.tracks IS 'how many tracks were in the batch';
COMMENT ON COLUMN embedding_batch.seconds IS 'what the batch took';
COMMENT ON COLUMN score_batch.tracks IS 'how many tracks were in the batch';
COMMENT ON COLUMN score_batch.seconds IS 'what the batch took';
COMMENT ON COLUMN serving_revision.encoder_id IS 'the revision that answers under this name';
COMMENT ON COLUMN neighbour_state.horizon_cosine IS 'down to which the list is complete; NULL: it holds every reference';
COMMENT ON COLUMN neighbour_state.horizon_sha256 IS 'content hash that breaks ties at that cosine';
COMMENT ON COLUMN background_moment.n IS 'how many references are counted';
COMMENT ON COLUMN background_moment.vector_sum IS 'sum of their vectors r, little-endian float64';
COMMENT ON COLUMN background_moment.outer_sum IS 'sum of r r^T, little-endian float64, row by row';

COMMENT ON COLUMN melody.frames IS 'how many pitch classes there are, one a frame';
COMMENT ON COLUMN melody.pitch_classes IS 'two frames a byte, the first in the high half; 0 is C';
COMMENT ON COLUMN melody.reason IS 'why there is no melody; NULL where there is one';
COMMENT ON COLUMN pair_score.reference_id IS 'the reference that answered, or the clip that was made of the target; key of track';
COMMENT ON COLUMN track_feature.beat_seconds IS 'when the beats fall, ascending; empty where there is no tempo';
COMMENT ON COLUMN track_feature.onsets_per_second IS 'how many notes or strokes begin a second';
COMMENT ON COLUMN track_feature.brightness_hz IS 'mean spectral centroid, Hz';

COMMENT ON COLUMN run.finished_at IS 'when the report found something changed and published it';
COMMENT ON COLUMN run.confirmed_at IS 'when a later report last found all as it was';
COMMENT ON COLUMN run.trigger IS 'who asked: a DAG run''s id, or "command line"';
COMMENT ON COLUMN run.library IS 'how many tracks there were, by collection and state';
COMMENT ON COLUMN served_neighbour.from_run IS 'the first run in which the answer held';
COMMENT ON COLUMN served_neighbour.to_run IS 'the first run in which it held no longer; NULL: it still does';
COMMENT ON TABLE run_encoder IS 'Per run and encoder that answered: how much was compared, and how alike references are';
COMMENT ON COLUMN run_encoder.references_n IS 'references with a vector';
COMMENT ON COLUMN run_encoder.targets_n IS 'targets with a vector';
COMMENT ON COLUMN run_encoder.background_pairs IS 'pairs of references whose cosines were counted';
COMMENT ON COLUMN run_target.background_n IS 'references that the mean is over';
COMMENT ON COLUMN run_target.background_mean IS 'mean of the target''s cosines to them';
COMMENT ON COLUMN run_target.background_sd IS 'standard deviation (population) of these cosines';
COMMENT ON COLUMN neighbour_change.encoder_name IS 'whose first answer changed';
COMMENT ON COLUMN neighbour_change.previous_reference_id IS 'the first answer before; NULL: there was none';
COMMENT ON COLUMN neighbour_change.reference_id IS 'the first answer now; NULL: there is none';
COMMENT ON COLUMN neighbour_change.cause IS 'first answer, new reference, removed reference, re-embedding or removed target';

COMMENT ON COLUMN failure.stage IS 'ingest, embed, melody, score, analyse, caption, generate …';
COMMENT ON COLUMN failure.reason IS 'one word, to count by';
COMMENT ON COLUMN failure.revision IS 'of the plug-in that it happened to; empty where none was at work';

-- What is missing -------------------------------------------------------------------------------

COMMENT ON COLUMN pending_pair.name IS 'the pair metric that is missing';
COMMENT ON COLUMN pending_pair.melody_id IS 'revision of the melodies that it compares; key of metric';
COMMENT ON COLUMN pending_pair.reference_id IS 'the reference that answered, or the clip that was made of the target; key of track';
COMMENT ON COLUMN pending_track_score.plugin IS 'the model, which gives all its axes at once';
COMMENT ON COLUMN pending_track_score.name IS 'the axis that is missing';
COMMENT ON COLUMN pending_generation.subject IS 'under which the ledger knows this clip: target, mode, guidance and seed';

-- What readers see ------------------------------------------------------------------------------

COMMENT ON COLUMN v_encoder.serving IS 'true: this revision''s answers are shown';
COMMENT ON COLUMN v_encoder.licence_code IS 'licence of the program that runs the model';

COMMENT ON COLUMN v_library.reason IS 'why a rejected track cannot be used; NULL otherwise';
COMMENT ON COLUMN v_library.path IS 'where it lies; the first of several places; NULL where it is gone';
COMMENT ON COLUMN v_library.files IS 'in how many places the same content lies';

COMMENT ON COLUMN v_retrieval.melody_reason IS 'why there is no melody_accuracy';
COMMENT ON COLUMN v_retrieval.target_voiced IS 'false: the target is unpitched, such as a drum loop';
COMMENT ON COLUMN v_retrieval.reference_voiced IS 'false: the reference is unpitched';
COMMENT ON COLUMN v_retrieval.target_labels IS 'what the manifest says of the target';
COMMENT ON COLUMN v_retrieval.reference_labels IS 'what the manifest says of the reference';
COMMENT ON COLUMN v_retrieval.from_run IS 'since which run this reference has had this rank with this cosine';

COMMENT ON COLUMN v_change.previous IS 'title of the first answer before; NULL: there was none';
COMMENT ON COLUMN v_change.previous_id IS 'its key in track';
COMMENT ON COLUMN v_change.reference IS 'title of the first answer now; NULL: there is none';
COMMENT ON COLUMN v_change.cause IS 'first answer, new reference, removed reference, re-embedding or removed target';

COMMENT ON COLUMN v_pending.stage IS 'embed, score, retrieve, melody, evaluate, analyse, caption or generate';
COMMENT ON COLUMN v_pending.plugin IS 'what will do it';
COMMENT ON COLUMN v_pending.items IS 'tracks, pairs or clips that wait';

COMMENT ON COLUMN v_failure.stage IS 'ingest, embed, melody, score, analyse, caption, generate …';
COMMENT ON COLUMN v_failure.subject IS 'the path for ingest, else collection:content hash';
COMMENT ON COLUMN v_failure.reason IS 'one word, to count by';
COMMENT ON COLUMN v_failure.retry IS 'false: bad input, left alone until it changes';
COMMENT ON COLUMN v_failure.revision IS 'of the plug-in that it happened to; empty where none was at work';

COMMENT ON COLUMN v_caption.device IS 'where the captioner ran: cpu, cuda …';
COMMENT ON COLUMN v_generation.path IS 'where the clip lies';
COMMENT ON COLUMN v_generation.prompt IS 'text as the model got it';
COMMENT ON COLUMN v_generation.wanted IS 'true: captioner and generator are those that the configuration asks for';
COMMENT ON COLUMN v_generation_score.value IS 'the number; NULL where it is undefined';
COMMENT ON COLUMN v_generation_summary.metric IS '"cosine" and an encoder: similarity of target and clip in that space; else a metric''s name';
COMMENT ON COLUMN v_generation_delta.metric IS '"cosine" and an encoder: similarity of target and clip in that space; else a metric''s name';
COMMENT ON COLUMN v_generation_delta.mode IS 'the stronger mode';
COMMENT ON COLUMN v_generation_delta.guidance IS 'its guidance; NULL where the generator has none';
COMMENT ON COLUMN v_generation_delta.than_mode IS 'the weaker mode it is compared with';
COMMENT ON COLUMN v_generation_delta.than_guidance IS 'guidance of the weaker mode; NULL where the generator has none';
COMMENT ON COLUMN v_generation_delta.n IS 'targets that have a value in both modes';
COMMENT ON COLUMN v_generation_delta.mean_difference IS 'mean over targets of stronger less weaker: above 0, the stronger mode has more';
COMMENT ON COLUMN v_generation_delta.sd IS 'standard deviation (population) of these differences';

-- Words that mean the same wherever they stand ----------------------------------------------------

DO $words$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT c.relname, a.attname, w.meaning
        FROM (VALUES
            ('batch_id', 'the batch that it was made in'),
            ('bytes', 'size of the file'),
            ('caption', 'what the captioner says'),
            ('caption_id', 'the caption; key of caption'),
            ('captioner', 'the plug-in that listened'),
            ('captioner_id', 'captioner revision; key of captioner'),
            ('channels', 'of the file: 1 mono, 2 stereo'),
            ('checkpoint', 'the weights, as their publisher calls them'),
            ('citation', 'what to cite'),
            ('collection', 'reference: searched in; target: looked for; generated: made of a target'),
            ('content_sha256', 'SHA-256 of the file''s bytes, in hex in views'),
            ('cosine', 'in the encoder''s own space; not comparable between encoders'),
            ('created_at', 'when this revision was first seen'),
            ('device', 'where it was computed: cpu, cuda …'),
            ('dimension', 'numbers in a vector'),
            ('attempts', 'how often it was tried'),
            ('encoder', 'name of the encoder'),
            ('encoder_id', 'encoder revision; key of encoder'),
            ('features_id', 'revision of the features that it rests on; key of metric'),
            ('finished_at', 'when the run was published'),
            ('first_seen', 'when it was first met'),
            ('format', 'the container, as its content says: WAV, FLAC, OGG, MP3 …'),
            ('generation_id', 'the generation; key of generation'),
            ('generator', 'the plug-in that made the clip'),
            ('generator_id', 'generator revision; key of generator'),
            ('genre', 'as the manifest says'),
            ('guidance', 'classifier-free guidance scale; NULL where the generator has none'),
            ('instrument', 'as the manifest says'),
            ('is_conditioned', 'true: the target''s melody went in beside the words'),
            ('key', 'such as A minor; NULL: reasons says why'),
            ('key_clarity', '0 to 1: how far the best key is above the next one'),
            ('labels', 'what the manifest says of it'),
            ('last_seen', 'when it last happened'),
            ('longest_seconds', 'a clip is as long as its target, and no longer than this'),
            ('made_at', 'when it was made'),
            ('mean', 'NULL where nothing counts'),
            ('message', 'what was wrong, and where it can be mended how'),
            ('meter', 'beats a bar; NULL: reasons says why'),
            ('metric', 'name of the number'),
            ('metric_id', 'metric revision; key of metric'),
            ('mode', 'how a clip is made, by name: simple, medium, strong …'),
            ('n', 'how many values count'),
            ('name', 'of the plug-in or metric'),
            ('prompt_parts', 'what the prompt was put together from'),
            ('rank', '1 is the nearest; ties fall by content hash'),
            ('reason', 'why there is no value; NULL where there is one'),
            ('reasons', 'by column, why what is NULL could not be measured'),
            ('reference', 'title of the track that was found; not unique, join by reference_id'),
            ('reference_id', 'the track that was found; key of track'),
            ('revision', 'identity of plug-in, weights and settings: compare within one alone'),
            ('rms_dbfs', 'level of the mono mix, dB relative to full scale'),
            ('run_id', 'the report that it belongs to; key of run'),
            ('sample_rate', 'of the file, Hz'),
            ('sampling', 'what else steered the generator'),
            ('sd', 'standard deviation (population); NULL where nothing counts'),
            ('seconds', 'length'),
            ('seed', 'of the generator''s random numbers'),
            ('spec', 'what identifies it, with licences and citation'),
            ('state', 'ok: usable; rejected: reason says why; gone: its files are'),
            ('target', 'title of the track that was looked for or made anew; not unique, join by target_id'),
            ('target_id', 'the track that was looked for or made anew; key of track'),
            ('template', 'by which the prompt was put together'),
            ('tempo_bpm', 'beats a minute; NULL: reasons says why'),
            ('title', 'from manifest, tags or file name; not unique'),
            ('took_seconds', 'what it took to compute'),
            ('track_id', 'the track; key of track'),
            ('undefined_n', 'how many values are missing with a reason'),
            ('value', 'the number; NULL where it is undefined'),
            ('versions', 'of the libraries that made it'),
            ('voiced_fraction', '0 to 1: how much of the track is pitched'),
            ('wanted', 'true: the revision that the configuration asks for'),
            ('window_seconds', 'length of the part that was heard'),
            ('window_start_seconds', 'where the part that was heard begins'),
            ('written_at', 'when it was stored')
        ) w (name, meaning)
        JOIN pg_attribute a ON a.attname = w.name AND a.attnum > 0
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND col_description(c.oid, a.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', f.relname, f.attname, f.meaning);
    END LOOP;
END $words$;

-- The partitions and their views, which come with their encoder ------------------------------------

CREATE FUNCTION describe_encoder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = mirpipe, public, pg_temp AS $$
DECLARE
    v_table text := format('embedding_%s', NEW.encoder_id);
    v_whose text := format('%s, revision %s', NEW.name, NEW.revision);
    f record;
BEGIN
    IF to_regclass(v_table) IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('COMMENT ON TABLE %I IS %L', v_table, 'Vectors of ' || v_whose);
    EXECUTE format('COMMENT ON VIEW %I IS %L', 'v_' || v_table,
        format('Vectors of %s: search here, where an HNSW index can serve and spaces cannot be mixed', v_whose));
    FOR f IN
        SELECT c.relname, a.attname, col_description(b.attrelid, b.attnum) AS meaning
        FROM pg_attribute b
        JOIN pg_attribute a ON a.attname = b.attname
        JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'mirpipe'::regnamespace
        WHERE b.attrelid = 'embedding'::regclass AND b.attnum > 0 AND c.relname IN (v_table, 'v_' || v_table)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', f.relname, f.attname, f.meaning);
    END LOOP;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION describe_encoder FROM PUBLIC;

-- At the end of the transaction: register_encoder makes the partition after the row.
CREATE CONSTRAINT TRIGGER encoder_described AFTER INSERT OR UPDATE OF name ON encoder
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION describe_encoder();
UPDATE encoder SET name = name;

GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read;
