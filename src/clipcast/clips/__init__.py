"""Media: how clips come in, what they are, where their bytes live."""
