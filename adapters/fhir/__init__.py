"""FHIR R4: resource shapes, bundles, the HTTP routes, and status back to the EHR. Knows no store."""
