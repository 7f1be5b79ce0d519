"""Records that are probably of one person, though no identifier says so."""
