"""X12: bytes to guide-shaped values and back, and the guide check. Knows no claim of ours."""
