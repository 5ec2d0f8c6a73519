"""The platforms: pure protocols, and the one module that knows HTTP."""
