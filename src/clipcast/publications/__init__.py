"""The heart: publications, the driver that moves them, and the ledger of what happened."""
