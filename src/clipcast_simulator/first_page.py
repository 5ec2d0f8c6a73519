"""The page at `/`: what this is, and what it does not imitate."""

from collections.abc import Sequence
from html import escape

from clipcast_simulator.platform import Platform

_NOT_IMITATED = (
    "TLS: this is plain HTTP. Where a platform's documentation says https, http is accepted for loopback hosts only.",
    "Bandwidth and regions: bytes arrive as fast as your machine moves them, and there is one upload host.",
    "Content moderation, music rights and copyright checks: nothing looks at what a video shows.",
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Clipcast simulator</title></head>
<body style="font: 1rem/1.5 sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem">
<h1>Clipcast simulator</h1>
<p>This server speaks the wire protocols of {names}. <strong>Nothing sent here reaches a real platform.</strong>
It is strict: what the platform's documentation does not allow is refused.</p>
<p>Its control resource is <a href="/_simulator/"><code>/_simulator/</code></a>; see also
<a href="/_simulator/requests">requests</a>, <a href="/_simulator/faults">faults</a>,
<a href="/_simulator/settings">settings</a> and <a href="/_simulator/clock">clock</a>{worlds}.</p>
<h2>What it does not imitate</h2>
<ul>
{items}
</ul>
</body></html>
"""


def first_page(platforms: Sequence[Platform]) -> str:
    """Write the page."""
    sentences = [*_NOT_IMITATED, *(line for platform in platforms for line in platform.not_imitated)]
    worlds = "".join(f', <a href="/_simulator/{p.name}/posts">{p.title} posts</a>' for p in platforms)
    return _PAGE.format(
        names=", ".join(platform.title for platform in platforms),
        worlds=worlds,
        items="\n".join(f"<li>{escape(line)}</li>" for line in sentences),
    )
