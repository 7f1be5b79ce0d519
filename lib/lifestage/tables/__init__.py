"""The declared contract of every table, one module a domain."""
