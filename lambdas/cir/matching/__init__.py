"""How alike two people are: names, streets, scores. Pure."""
