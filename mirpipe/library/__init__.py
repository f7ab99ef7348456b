"""From files to tracks: folder scans, manifests, tags and content identity."""
