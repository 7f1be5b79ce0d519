"""Configuration files, and the SQL expressions in them."""
