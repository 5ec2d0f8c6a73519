"""The heart: publications and the driver that moves them."""
