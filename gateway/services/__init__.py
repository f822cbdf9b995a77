"""From attendance to bill: service days, billing service definitions, charges, claim assembly."""
