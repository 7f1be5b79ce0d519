"""User value: RFM scores, the value index and its tiers."""
