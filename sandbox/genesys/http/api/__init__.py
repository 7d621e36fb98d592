"""The operations of the public API, by subject: from a call to a reply. `routes` lists them all."""
