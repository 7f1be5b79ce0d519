"""Configuration, session, tables, errors: the machinery that knows nothing of customers."""
