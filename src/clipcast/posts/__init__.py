"""What the user composes."""
