"""Channels: where users act, and how much of the business is of people whom it knows."""
