"""The domain: immutable values of the trade. Standard library only, no side effect, no clock."""
