"""Our guide check against other judges: every difference is classed, with a public source, or the test fails."""
