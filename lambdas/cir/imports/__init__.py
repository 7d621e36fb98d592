"""Loading a whole base: in batches, resumably, by the API or by CSV jobs of Genesys Cloud."""
