"""Times as people say them: wall clocks in a zone, and the slots of an account."""
