"""What would come of a message: taken in, interpreted, derived and judged as it would be, and nothing of it kept."""

from __future__ import annotations

from typing import Any

from clearinghouse.x12.check import check_bytes
from gateway.wiring.dry_run import dry_run, what_comes_of
from gateway.wiring.files import X12, DiagnosisCodes
from gateway.wiring.gate_files import FileGate
from gateway.wiring.mappings import went_by
from gateway.wiring.site import Site


def preview(site: Site, source: str, content: bytes) -> dict[str, Any]:
    """What the source's HL7 messages, FHIR JSON or record set would make of the site's claims.

    {"messages": [as ingest], "claims": [as claims why, with the claim's list entry], "days": [the patients' service
    days], "encounters": [as encounters list, with what is known of each], "mappings": the set that was gone by}: the
    claims that would carry the encounters told of, and where each encounter's bill would be. An 837 needs no source;
    its claims are in {"files": [as check --gate]}. Raises NotFound for a source there is not, FormatError for a record
    set that is wrong.
    """
    mappings = went_by(site)
    if content.lstrip().startswith(b"ISA"):
        files = [_judged_837(site, content)]
        return {"messages": [], "claims": [], "days": [], "encounters": [], "files": files, "mappings": mappings}
    with dry_run(site) as trial:
        return {**what_comes_of(trial, [(source, content)]), "mappings": mappings}


def _judged_837(site: Site, content: bytes) -> dict[str, Any]:
    codes = site.policy.codes_for_strangers()
    gate = FileGate(site.policy.catalogue, codes, site.clock.now().date())
    checked = check_bytes(content, code_sets=DiagnosisCodes(lambda: codes)).as_json()
    return {"format": X12, **checked, "gate": gate.judge(content)}
