"""A project: its configuration, its secrets, the map of its domains, and how they run."""
