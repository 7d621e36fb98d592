"""HTTP to the services of others: an OAuth client's access token, and requests that are repeated with pauses."""

__all__ = ["oauth", "retries", "session"]
