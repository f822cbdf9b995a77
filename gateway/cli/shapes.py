"""The JSON of every command, as the reference shows it. Tests hold each command to having an entry here."""

from __future__ import annotations

from typing import Final

_FINDING = '{"rule", "code", "severity", "owner", "path", "message", "fix", "values", "source", "cents", "overridable"}'
_PROBLEM = '{"place", "mapping", "message", "fix", "fatal"}'
_WORK_ITEM = """
{"id", "due_on", "owner", "rule", "message", "fix", "cents", "about", "organization", "patient_id", "values", "source",
 "closed": null|{"at", "actor", "role", "outcome": "appealed|done|not-needed|written-off", "reason"}}"""
_STATE = '{"claim": id, "state"}'

SHAPES: Final = {
    "init": '{"site", "files": [name], "next": [what to type]}',
    "serve": """
{"said": sentence}            one line for each door that opens, one when it is ready, one when it has stopped
The site's run/ports.json holds {"pid", "ports": {"http": port, "mllp:SOURCE": port}} while it serves.""",
    "doctor": '{"ok": bool, "checks": [{"name", "ok", "detail"}]}',
    "audit verify": '{"ok": bool, "acts", "unsealed", "anchored", "broken": [{"number", "problem"}]}',
    "readiness": """
{"ready": bool, "today", "through",
 "missing": [{"organization", "roster", "severity", "owner", "message", "fix", "claims", "cents"}],
 "due": [a worklist item, and {"overdue": bool, "record_number": null|text}],
 "mappings": {"in_force": hash, "at": time, "actor", "role", "edited": hash,
  "state": "in-force|waiting|replaced|refused", "sentence", "problems": [{"place", "message"}]}}""",
    "funnel": """
{"encounters", "places": {place: encounters}, "reasons": {reason: encounters}, "service_days", "claims",
 "states": {state: claims}, "held": [{"owner", "rule", "claims", "encounters", "cents"}],
 "sent", "accepted", "paid", "denied", "billed_cents", "paid_cents", "contractual_cents", "denied_cents",
 "patient_cents", "prior_payer_cents", "adjusted_cents", "open_cents", "suspense_cents"}
What was billed is the sum of the eight amounts that follow it.""",
    "export": """
{"claims": [{"key", "state", "draft", "findings", "versions", "facts", "money"}], "encounters", "service_days",
 "balances"}
Control numbers, times and attempts are left out.""",
    "ingest": f"""
{{"messages": [{{"path", "index", "source", "type", "outcome": "stored|duplicate|refused", "reason": null|text,
  "encounters": [id], "findings": [{_PROBLEM}]}}],
 "totals": {{"files", "messages", "stored", "duplicate", "refused", "encounters", "findings"}}}}
``index`` counts from 0 in each file; of a CSV's row it is the line, and ``type`` says so.""",
    "pull": '{"source", "types": [{"type", "pages", "resources", "refused", "problem": null|text}]}',
    "preview": """
{"messages": [as ingest], "claims": [all of a claims list entry, and all of claims why],
 "days": [{"on", "facility", "program", "level_of_care", "minutes", "services", "cents"}],
 "encounters": [all of an encounters list entry, and "record": {"status", "session", "start_at", "end_at",
   "level_of_care", "program", "facility", "modality", "note_signed", "attending_npi", "rendering_npi", "diagnoses",
   "authorization_number", "place_of_service", "charge_code"}],
 "mappings": {"hash", "in_force": bool}}
Nothing is stored: claims, days and encounters are as they would be. An 837 adds {"files": [as check --gate]}.""",
    "messages list": f"""
{{"messages": [{{"id", "source", "type", "received_at", "outcome": "stored|with-findings|refused", "reason",
  "findings": [{_PROBLEM}]}}], "reasons": [{{"source", "reason", "messages": number}}]}}
The reasons count what was said of the messages that are shown.""",
    "messages again": '{"messages": [id], "still_failing": [id]}',
    "claims list": """
{"claims": [{"id", "state", "payer", "organization", "form", "level_of_care", "from", "through", "charge_cents",
  "claim_number", "holds": [rule]}]}""",
    "claims show": f"""
all of a list entry, and {{"key", "patient_id", "frequency", "authorization_number", "diagnoses", "lines",
 "findings": [{_FINDING}],
 "adjustments": [{{"group", "reason", "words": null|text, "cents", "denied": bool,
   "owner": null|desk, "fix": null|text}}],
 "remarks": [{{"code", "words": null|text}}], "versions", "facts", "overrides", "money", "acts",
 "work": [worklist items about it, closed ones too]}}""",
    "claims why": f"""
{{"id", "state", "because": sentence, "mapping_set": hash, "adjustments", "remarks" (as claims show),
 "overrides": [{{"claim_id", "rule", "actor", "role", "reason", "expires_on"}}],
 "findings": [{_FINDING}],
 "lines": [{{"number", "service_on", "revenue_code", "hcpcs", "modifiers", "units", "charge_cents", "place_of_service",
   "definition", "definition_entry": "file:line", "charge_entry": "file:line", "minutes", "services", "encounter_ids",
   "sources": {{field: {{"field", "mapping": "file:line", "message_id"}}}}}}]}}""",
    "claims release": f"""
{_STATE}
With --all-ready: {{"released": [id], "refused": [{{"claim", "reason"}}]}}""",
    "claims hold": _STATE,
    "claims override": _STATE,
    "encounters list": f"""
{{"encounters": [{{"encounter_id", "place": "billed|waiting|held|not-billable", "reason", "on", "payer", "claim_key",
  "cents", "findings": [{_FINDING}]}}]}}""",
    "encounters decide": '{"encounters": [id, id], "decision": "same|different"}',
    "rosters import": """
{"organization", "kind", "source", "rows", "added", "changed", "retired", "unmatched", "unanswered"}""",
    "rosters list": '{"rosters": [{"organization", "kind", "source", "loaded_at", "rows", "file_sha256"}]}',
    "rosters show": """
{"kind", "at": null|time, "rows": [{"organization", "source", column: text, "entry": "file:line"}]}""",
    "authorizations list": """
{"authorizations": [{"id", "number", "payer", "organization", "patient_id", "level_of_care", "status", "unit", "from",
  "through", "review_on", "granted", "opening", "reserved", "accrued", "consumed", "released", "remaining",
  "first_day_beyond", "at_risk_cents", "warnings": [sentence]}]}""",
    "authorizations show": """
all of a list entry, and {"units_per_day", "units_per_week", "weekdays", "npis", "service_codes", "opening_on",
 "days": [{"on", "stage": "reserved|accrued|consumed|released", "units", "reason", "claim_key", "cents",
   "organization", "patient_id"}]}""",
    "attendance reconcile": """
{"attended_days", "billed_days", "billed_cents",
 "attended_not_billed": [{"on", "organization", "facility", "program", "level_of_care", "payer", "patient_id",
   "place": "waiting|held|not-billable", "reason", "owner", "cents", "minutes", "claim_id", "claim_state",
   "encounter_ids": [id]}],
 "billed_not_attended": [same, with "place": "billed"]}""",
    "worklist": '{"items": [each as worklist close has it]}',
    "worklist close": _WORK_ITEM,
    "worklist reopen": _WORK_ITEM,
    "exchange status": """
{"connections": [{"connection", "last_contact": null|time, "problem": null|sentence, "troubled_since": null|time,
  "next_run": null|time, "queued", "sending", "delivered", "rejected",
  "in_doubt": [{"id", "isa13", "form", "remote_name", "state", "claims", "charge_cents", "created_at",
    "held_until": null|time, "known": sentence, "next": sentence}],
  "under_way": [as in_doubt], "goes_again": [as in_doubt: tried, nothing of it arrived],
  "refused": why this machine may not send, or "",
  "silent": [as exchange silences], "answers": {type: number}, "reports": number,
  "set_aside": [{"id", "type", "status", "reason"}], "not_ours": [same],
  "paused": sentence, "certified": sentence}]}""",
    "exchange silences": """
{"silences": [{"connection", "interchange", "isa13", "remote_name", "state", "answer": "TA1|999|277CA|277CA-payer|835",
  "due_at", "silent_since", "claims", "waiting": claims without it, "charge_cents", "created_at"}]}""",
    "exchange send": """
{"connections": [{"connection", "frozen", "delivered", "in_doubt", "paused": sentence, "refused": sentence,
  "problems": [sentence]}]}""",
    "exchange test": '{"connection", "ok", "steps": [{"step", "ok", "detail", "next"}]}',
    "exchange certify": """
{"connection", "state": "waiting|failed|passed", "sent_at": null|time, "files": [name], "heard": [sentence],
 "missing": [sentence], "failures": [sentence], "certified": sentence, "paused": sentence}""",
    "exchange resume": '{"connection", "paused": sentence, "certified": sentence}',
    "exchange guard": '{"connection", "last", "seen", "next", "held", "in_doubt"}',
    "exchange collect": """
{"connections": [{"connection", "files", "applied", "duplicates", "set_aside", "reports", "settling",
  "problems": [sentence], "paused": sentence}]}""",
    "exchange post": '{"answer": id, "suspense_cents"}',
    "exchange resolve": '{"interchange": id, "state"}',
    "exchange reports": """
{"reports": [{"id", "connection", "remote_name", "received_at", "reason", "bytes_sha256"}]}""",
    "exchange raw": '{"files": [{"answer": id, "type", "path", "written": bool}]}',
    "check": """
{"files": [{"path", "format": "x12|hl7v2|fhir", "readable": bool, "error": null|text, "findings", ...}]}
x12:   "interchanges": [{"sender", "receiver", "control_number", "usage", "findings", "groups": [{"control_number",
       "findings", "transactions": [{"type", "guide", "control_number", "accepted": bool, "findings"}]}]}]
       finding: {"snip": 1..7, "severity", "code", "message", "segment", "position", "loop", "element",
                 "value_redacted", "ik3", "ik4", "ik5", "ak9", "ta1"}
       With --gate each file with an 837 adds "gate": {"claims": [{"place", "number", "payer", "level_of_care",
       "charge_cents", "lines": [as claims show], "findings": [as claims why]}],
       "unknown": [{"source", "rules", "claims": number}]}
hl7v2: "messages": [{"index", "byte_position", "type", "version", "segments", "answer": "AA|AE|AR", "reason",
       "findings"}]
       finding: {"segment", "field", "position", "message", "severity", "code"}
fhir:  "resource_type"; finding: {"severity", "code", "element": FHIRPath, "message", "fix"}""",
    "read": """
{"files": [{"path", "format": "x12|hl7v2", "readable": bool, "error": null|text, ...}]}
With --write each file also "same_bytes": bool.
x12:   "noise": [{"offset", "text"}], "interchanges": [{"sender", "receiver", "control_number", "usage", "offset",
       "isa", "delimiters", "line_ending", "gaps", "segments": [[element]], "cut",
       "groups": [{"control_number", "header",
       "first_segment", "last_segment", "transactions": [{"type", "guide", "control_number", "first_segment",
       "last_segment"}]}]}]
835:   each transaction also "trace", "payment_cents", "provider_adjustments", "balanced": bool,
       "out_of_balance": [{"where", "expected_cents", "found_cents"}],
       "claims": [{"claim_id", "payer_claim_id", "status_code", "charge_cents", "paid_cents", "patient_cents",
       "adjustments": [{"group", "reason", "cents"}], "lines": [...]}]
hl7v2: "character_set", "line_ending", "messages": [{"index", "type", "first_line"}],
       "lines": [{"message", "separator", "fields": [text]} or {"text"}; "before" and "end" where not usual]""",
    "mappings check": """
{"ok": bool, "files", "own_files", "hash", "problems": [{"place": "file:line:column", "message"}],
 "remarks": [same]}""",
    "mappings test": """
{"ok": bool, "cases": [{"case": path, "ok": bool, "accepted": bool, "error": null|text,
  "differences": [{"place": "file:line:column", "path", "expected", "found"}]}]}""",
    "mappings explain": """
{"encounter": null|{"id", "sources", "fields": [{"name", "position", "entry": "file:line", "message": id}]},
 "messages": [{"message": id, "source", "type", "resources": [{"resource": null|"Type/id", "entries": [{
   "name", "record", "entry": "file:line", "applies": bool, "why", "place",
   "fields": [{"name", "entry": "file:line", "tried", "positions", "found": number, "values": null|[text], "notes",
     "why": null|text, "ways": [{"entry": "file:line", "tried", "why": null|text}]}]}]}]}],
 "mappings": {"hash", "in_force": bool}}
The mapping set is the one that was gone by: edited files are not in force before they are put. The ways are the
alternatives of a value, each with why it gave nothing.""",
    "mappings new": """
{"path", "records": [name], "left_out": [name], "unread": [text], "guesses": number, "problems": [text],
 "messages": number, "encounters": number, "findings": [{"message", "times"}]}
The last three are what it makes of the samples.""",
    "mappings what-if": """
{"since", "in_force": hash, "files": [path that differs], "read_again": [source], "encounters", "patients",
 "payers": [{"payer", "claims", "held", "freed", "corrected", "appears", "disappears", "differs", "before_cents",
   "after_cents", "held_cents", "freed_cents"}],
 "claims": [{"claim", "payer", "start_on", "through_on", "change": "held|freed|corrected|appears|disappears|differs",
   "before_cents", "after_cents", "why": [sentence]}]}""",
    "mappings diff": """
{"before": null|hash, "after": hash,
 "files": [{"path", "change": "added|changed|removed", "lines": [unified diff]}]}""",
    "mappings schemas": '{"folder", "files": [name], "changed": [name]}',
    "mappings history": '{"versions": [{"in_force": hash, "at": time, "actor", "role"}]}, the newest first',
    "mappings put": '{"changed": bool, "in_force": hash, "before": null|hash, "actor"}',
    "codes import": """
{"kind", "file", "rows", "start_on", "end_on": null|date, "sha256", "imported": bool}""",
    "codes list": """
{"kinds": [{"kind", "publisher",
  "releases": [{"kind", "file", "rows", "start_on", "end_on": null|date, "sha256"}]}]}""",
    "codes diff": """
{"kind", "before": release, "after": release,
 "changes": [{"code", "change": "added|removed|changed", "before": [text], "after": [text]}]}""",
    "sandbox": """
{"port", "host_key": "type base64", "user", "mailbox": folder}      when it listens
With --list-faults: {"faults": [{"name", "argument": "|BYTE|TURN|KIND", "does", "sees"}]}""",
    "sandbox ledger": """
{"interchanges": [...], "claims": [...], "remittances": [...], "payments": [...], "answers": [...]}""",
    "demo": """
{"encounters", "service_days", "claims", "held": [{"owner", "rule", "claims", "cents"}], "sent", "accepted", "paid",
 "denied", "billed_cents", "paid_cents", "denied_cents", "patient_cents", "doctor": {...}, "story": [why],
 "caught": [{"pitfall", "claims", "cents", "for_example"}], "site": folder}
and the other keys of funnel""",
    "bench": """
{"machine", "rows": [{"name", "value", "unit", "reference", "reference_value", "ratio", "budget", "met": bool}]}""",
}
