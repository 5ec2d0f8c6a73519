"""Renditions of videos: they know what a probe knows of a clip, and a clip has one of each purpose."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FACTS: dict[str, sa.types.TypeEngine[Any]] = {
    "duration_s": sa.Double(),
    "frame_rate": sa.Double(),
    "video_codec": sa.String(40),
    "audio_codec": sa.String(40),
}


def upgrade() -> None:
    for name, kind in FACTS.items():
        op.add_column("renditions", sa.Column(name, kind))
    # Nothing made two so far; but nothing forbade it either, and then the index could not be made.
    op.execute("DELETE FROM renditions WHERE id NOT IN (SELECT min(id) FROM renditions GROUP BY clip_id, purpose)")
    op.create_index("ix_renditions_clip_id_purpose", "renditions", ["clip_id", "purpose"], unique=True)
    op.drop_index("ix_renditions_clip_id", "renditions")  # the new one begins with the same column


def downgrade() -> None:
    op.create_index("ix_renditions_clip_id", "renditions", ["clip_id"])
    op.drop_index("ix_renditions_clip_id_purpose", "renditions")
    for name in FACTS:
        op.drop_column("renditions", name)
