"""The demonstration: three posts, a killed worker, and the count of what was lost or doubled. Run by `make demo`.

Everything happens in a temporary directory, against the simulator; no real platform is spoken to and no setting of yours is read.
"""
