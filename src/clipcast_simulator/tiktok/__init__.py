"""The simulated TikTok: an independent reading of its documentation (copies of 2026-09)."""
