"""Nightly reconciliation: what the CRM holds against what Genesys Cloud was given, and what differs is repaired.

`steps` has the order of a night; each step has a module of its own.
"""

__all__ = ["audit", "compare", "extract", "gone", "held", "report", "result", "run", "steps"]
