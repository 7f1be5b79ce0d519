"""Infrastructure for all other packages: storage, runtime, configuration, security and errors. No customer logic."""
