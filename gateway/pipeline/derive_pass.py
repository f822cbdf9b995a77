"""Drains the patients whose facts changed. One that breaks us is parked, visibly, and the others go on."""

from __future__ import annotations

import structlog

from gateway.errors import GatewayError
from gateway.fault_points import FaultPoint, reach
from gateway.pipeline.derive import Derivation
from gateway.ports import Clock
from gateway.ports.storage import Store, Transaction
from gateway.ports.work import WorkKind

_LOG = structlog.get_logger("pipeline")
PATIENTS_AT_ONCE = 50


class DerivePass:
    """Derives in batches; a batch that breaks is taken apart."""

    def __init__(self, store: Store, clock: Clock, derivation: Derivation) -> None:
        self._store = store
        self._clock = clock
        self._derivation = derivation
        self._swept = ""

    def run(self) -> int:
        """Derive one batch of patients; how many. A new day, or a new mapping set, asks for every draft anew."""
        try:
            return self._derive(PATIENTS_AT_ONCE) or self._sweep()
        except GatewayError:
            raise
        except Exception as error:
            _LOG.error("derivation-broke", error=type(error).__name__)
            return self._one_by_one()

    def _derive(self, most: int) -> int:
        with self._store.write() as tx:
            patients = tx.work.take(WorkKind.DERIVE, most)
            reach(FaultPoint.DERIVING)
            if patients:
                self._derivation.derive(tx, patients, self._clock.now())
            return len(patients)

    def is_current(self, tx: Transaction) -> bool:
        """True when every draft was derived for today and by the mapping set in force, and nothing waits."""
        waiting = any(tx.work.more_than(0, kind) for kind in WorkKind if kind is not WorkKind.PARKED)
        return not waiting and tx.work.last_sweep(WorkKind.DERIVE) == self._due()

    def _sweep(self) -> int:
        """Time passes without a message: periods close, authorizations end, filing limits come near."""
        due = self._due()
        if due == self._swept:
            return 0
        with self._store.write() as tx:
            patients = 0
            last = tx.work.last_sweep(WorkKind.DERIVE)
            if last != due:
                other_files = last.partition(" ")[0] != due.partition(" ")[0]  # which may make claims of any visit
                patients = tx.work.add_patients_of_a_new_day(or_visits_not_billed=other_files)
                tx.work.record_sweep(WorkKind.DERIVE, due)
        self._swept = due
        return patients

    def _due(self) -> str:
        return self._derivation.derived_for(self._clock.now())

    def _one_by_one(self) -> int:
        for done in range(PATIENTS_AT_ONCE):
            with self._store.write() as tx:
                patient = tx.work.take(WorkKind.DERIVE, 1)
                if not patient:
                    return done
                try:
                    with tx.savepoint():
                        self._derivation.derive(tx, patient, self._clock.now())
                except GatewayError:
                    raise
                except Exception as error:
                    _LOG.error("patient-parked", error=type(error).__name__)
                    tx.work.add(WorkKind.PARKED, patient)
        return PATIENTS_AT_ONCE

    def free_parked(self) -> None:
        """Try the parked patients again."""
        with self._store.write() as tx:
            while keys := tx.work.take(WorkKind.PARKED, PATIENTS_AT_ONCE):
                tx.work.add(WorkKind.DERIVE, keys)
