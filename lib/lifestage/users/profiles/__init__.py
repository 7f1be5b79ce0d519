"""What is known of a person beside what they do, from customer records that may contradict each other."""
