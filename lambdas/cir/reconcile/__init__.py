"""Nightly reconciliation: what the CRM holds against what Genesys Cloud was given, and what differs is repaired.

    extract   the CRM's rows as files
    audit     Genesys Cloud itself against the index; weekly, or on demand
    compare   the rows against the index: what is to be repaired, and whether the rows can be trusted at all
    load      `cir.imports.run`: the batches of what differs, ten to a request
    report    what became of it, as JSON and as a page

Each step is done once: its last file says so. Nothing but `load` writes to Genesys Cloud.
"""
