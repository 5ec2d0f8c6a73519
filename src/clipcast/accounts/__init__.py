"""Social accounts: who publishes where, their encrypted credentials, and how those stay fresh."""
