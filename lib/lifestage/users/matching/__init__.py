"""Record matching: records that probably describe one person, although they share no identifier."""
