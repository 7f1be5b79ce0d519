"""Activity: the measures of each subject and business date."""
