"""YouTube as the wire shows it: the Data API v3 with its resumable uploads, and Google's OAuth 2.0."""
