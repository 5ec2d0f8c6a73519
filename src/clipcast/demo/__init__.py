"""The demonstration: posts to three platforms, workers killed in the middle, and the count of what was lost or doubled. Run by `make demo`.

Everything happens in a temporary directory, against the simulator; no real platform is spoken to and no setting of yours is read.
"""
