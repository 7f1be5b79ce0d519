"""Profiles: attributes of users from customer records."""
