"""The domain: immutable values of the trade. Standard library, and msgspec for values; no side effect, no clock."""
