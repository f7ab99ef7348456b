SET LOCAL search_path = mirpipe, public;

-- Several genres stay in the label genre, separated by semicolons.
ALTER TABLE track DROP genres, DROP labels_from;
ALTER TABLE track_file DROP tags, DROP undecoded_tags, DROP tag_encoding, DROP tag_encoding_guessed;
DROP TABLE folder_encoding;
