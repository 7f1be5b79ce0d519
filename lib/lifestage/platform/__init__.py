"""What every wing stands on: storage, runtime, configuration, security and errors. It knows nothing of customers."""
