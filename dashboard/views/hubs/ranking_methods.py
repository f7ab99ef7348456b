"""Names of the methods that rank references: by cosine, by CSLS, or by all encoders together."""

METHOD_NAMES = {"cosine": "cosine", "csls": "CSLS", "fusion": "all encoders"}
