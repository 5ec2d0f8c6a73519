"""Who may do what: people and their sessions, invitations, API keys, and the permissions that every endpoint asks for."""
