"""The money ledger: double entry in integer cents; denials and follow-up."""
