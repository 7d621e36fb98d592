"""Loading a whole base: in batches, resumably, by the API or by CSV jobs of Genesys Cloud."""

__all__ = ["batches", "genesys_csv", "loading", "run"]
