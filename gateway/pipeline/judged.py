"""What a draft was judged on, in one word: while the word is the same, judging the claim again would say the same.

A derivation is a function of the patient's own facts, of what is in force, and here and there of other patients' facts.
Words and facts are numbered and counted; whoever changes anything else of a patient asks, in the same transaction, for
the patient to be derived; what is in force has a name; where others' facts have a part, no word is kept at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from gateway.claim.origins import stored_origins
from gateway.pipeline.facts import PatientFacts
from gateway.ports.claims import ClaimRow, Draft
from gateway.ports.storage import Transaction

_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=stored_origins)


def judged_on(in_force: str, last_word: int, facts: PatientFacts) -> str | None:
    """The word for a patient's drafts; None where another patient's sessions or authorization entries count."""
    shared = facts.gathering.rooms_elsewhere or facts.gathering.group_sizes
    if facts.elsewhere or shared:
        return None
    told = sum(1 for known in facts.claims for fact in known.facts if fact.version_id)
    return _word(in_force, last_word, told)


def patients_to_judge(
    tx: Transaction, in_force: str, rows: Sequence[ClaimRow], drafts: Mapping[str, Draft]
) -> set[str]:
    """Patients of the claims of whom a draft was, or may have been, judged on anything else than what is known now."""
    patients = sorted({row.patient_id for row in rows})
    joined = tx.subjects.joined(patients)
    changed = tx.work.waiting(patients) | {*patients} - {*tx.subjects.standing(patients)}
    changed |= {each for each in patients if joined[each]}
    words, told = tx.subjects.last_words(patients), tx.claims.facts_of_versions(patients)
    now = {each: _word(in_force, words[each], told[each]) for each in patients}
    return changed | {
        row.patient_id
        for row in rows
        if row.id not in drafts or drafts[row.id].judged_on != sealed(now[row.patient_id], drafts[row.id])
    }


def sealed(basis: str | None, draft: Draft) -> str | None:
    """The word with what the draft says: a draft that reads otherwise than it was written was not judged."""
    if basis is None:
        return None
    said = (draft.claim, draft.content_hash, draft.findings, draft.complete, draft.ready_on)
    return hashlib.sha256(basis.encode() + _ENCODER.encode(said)).hexdigest()


def _word(in_force: str, last_word: int, facts_of_versions: int) -> str:
    return hashlib.sha256(f"{in_force} {last_word} {facts_of_versions}".encode()).hexdigest()
