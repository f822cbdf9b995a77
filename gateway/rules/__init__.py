"""The clean-claim gate: one rule per file. Rules read a claim and its context and return findings; they never edit."""
