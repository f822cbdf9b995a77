"""Claims with a known defect, and clean ones at every boundary: made as EHR messages and the clinic's own facts.

Written from what billers and payers say is wrong, so that it can find the gate at fault: it imports no rule of ours.
"""
