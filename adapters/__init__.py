"""Inbound edges: somebody else's format in, and status back. One package per format."""
