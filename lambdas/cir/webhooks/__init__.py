"""What a CRM says has changed: believed, queued, applied."""

__all__ = ["apply", "change", "keys", "kinds", "queue", "request"]
