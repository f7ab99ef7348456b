"""Turns the keys of plug-in revisions from smallint into integer."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

DROPS_VIEWS_ON = (
    *("background_member", "background_moment", "caption", "caption_embedding", "captioner"),
    *("embedding", "embedding_batch", "embedding_change", "encoder", "generation"),
    *("generation_wish", "generator", "map", "map_point", "melody", "metric", "neighbour"),
    *("neighbour_state", "pair_score", "run_agreement", "run_answer", "run_comparison"),
    *("run_csls", "run_encoder", "run_generation_summary", "run_group_summary", "run_hub"),
    *("run_hubness", "run_ranking", "run_set_distance", "run_summary", "run_target"),
    *("served_neighbour", "serving_revision", "track_feature", "track_score"),
)


def upgrade() -> None:
    _change_keys("smallint", "integer")


def downgrade() -> None:
    _change_keys("integer", "smallint")


def _change_keys(old: str, new: str) -> None:
    """Change the type. Fails, and changes nothing, if a stored key is too large for the new one."""
    sql = Path(__file__).with_suffix(".sql").read_text()
    op.execute(sql.replace(":old", old).replace(":new", new))
