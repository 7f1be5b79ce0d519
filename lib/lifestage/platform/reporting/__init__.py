"""The building blocks of a report: texts, figures, disclosure control, and what a section of a domain declares."""
