"""Outbound and back: claims to X12, files to partners, answers to facts."""
