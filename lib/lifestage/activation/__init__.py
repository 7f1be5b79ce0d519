"""Who gets what: audiences, published snapshots and the report."""
