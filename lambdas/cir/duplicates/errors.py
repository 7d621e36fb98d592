"""What a data owner can mend, said in one sentence."""


class DuplicatesError(Exception):
    """Duplicates cannot be looked for; the text says why and what to do."""
