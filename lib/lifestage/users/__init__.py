"""Users: identity resolution, activity, profiles and features."""
