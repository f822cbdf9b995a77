"""The composition root: the only place that knows every part. Doors ask it for what they need, ready to use."""
