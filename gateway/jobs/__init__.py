"""Wake-ups for the pipeline's passes. The rows are the truth; a lost or repeated wake-up changes nothing."""
