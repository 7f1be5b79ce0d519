"""Identity resolution: which identifiers belong to one user, across channels."""
