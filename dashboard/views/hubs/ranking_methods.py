"""Names of the ranking metrics, and of the methods that rank references.

Methods rank by cosine, by CSLS, or by all encoders together.
"""

METHOD_NAMES = {"cosine": "cosine", "csls": "CSLS", "fusion": "all encoders"}
METRIC_NAMES = {"p_at_1": "P@1", "p_at_5": "P@5", "p_at_10": "P@10", "mrr": "MRR", "map": "mAP"}
