"""HL7 v2: the ER7 reader, MLLP framing and listener, acknowledgements, conformance. Knows no store."""
