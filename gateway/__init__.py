"""The heart of cleanclaim and its doors."""
