"""Files of sources: how they are found, read, checked and recorded."""
