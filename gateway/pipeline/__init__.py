"""Use cases, each one transaction and safe to repeat: receive, interpret, derive, check, release, send, collect."""
