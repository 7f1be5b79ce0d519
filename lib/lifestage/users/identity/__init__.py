"""Who is who across channels."""
