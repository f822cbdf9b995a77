"""A synthetic clinic's month and the loop that plays it. Generates messages only; imports no rule."""
