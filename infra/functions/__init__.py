"""Functions that are woken by more than the catalog can say: a state machine, an event bus, an HTTP API."""
