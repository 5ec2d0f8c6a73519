"""Instagram's publishing, seen from the wire: both logins, containers, the upload host, the media they become."""
