"""Source files: discovery, reading, type casting, quality gates and the ingest ledger."""
