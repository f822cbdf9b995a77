"""HTTP door: FHIR, and everything the command line does under /api/v1. The OpenAPI document is the contract."""
