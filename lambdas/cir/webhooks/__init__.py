"""What a CRM says has changed: believed, queued, applied."""
