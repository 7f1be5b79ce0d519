"""Events to subject-days: only the days that deliveries touched."""
