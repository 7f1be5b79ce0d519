"""Tables: their contracts, the store that keeps them, and the lock on a storage root."""
