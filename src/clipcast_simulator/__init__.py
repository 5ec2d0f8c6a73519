"""TikTok, Instagram and YouTube seen from the wire."""
