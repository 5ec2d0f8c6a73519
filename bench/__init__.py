"""Measurements: ratios against a peer or a physical limit, side by side in one run, medians over several rounds."""
