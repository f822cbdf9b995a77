"""The authorization ledger: units reserved, accrued, consumed, released, counted per date of service."""
