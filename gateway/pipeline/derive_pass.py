"""Drains the patients whose facts changed. One that breaks us is parked, visibly, and the others go on."""

from __future__ import annotations

import structlog

from gateway.errors import GatewayError
from gateway.pipeline.derive import Derivation
from gateway.pipeline.interpret import DERIVE
from gateway.ports import Clock
from gateway.ports.storage import Store

PARKED = "parked"
"""Patients whose derivation broke: a defect of ours. `doctor` shows them; deriving again after a repair frees them."""
_LOG = structlog.get_logger("pipeline")
_BATCH = 50


class DerivePass:
    """Derives in batches; a batch that breaks is taken apart."""

    def __init__(self, store: Store, clock: Clock, derivation: Derivation) -> None:
        self._store = store
        self._clock = clock
        self._derivation = derivation

    def run(self) -> int:
        """Derive one batch of patients; how many."""
        try:
            return self._derive(_BATCH)
        except GatewayError:
            raise
        except Exception as error:
            _LOG.error("derivation-broke", error=type(error).__name__)
            return self._one_by_one()

    def _derive(self, most: int) -> int:
        with self._store.write() as tx:
            patients = tx.work.take(DERIVE, most)
            if patients:
                self._derivation.derive(tx, patients, self._clock.now())
            return len(patients)

    def _one_by_one(self) -> int:
        for done in range(_BATCH):
            try:
                if not self._derive(1):
                    return done
            except GatewayError:
                raise
            except Exception as error:
                _LOG.error("patient-parked", error=type(error).__name__)
                with self._store.write() as tx:
                    tx.work.add(PARKED, tx.work.take(DERIVE, 1))
        return _BATCH

    def free_parked(self) -> None:
        """Try the parked patients again."""
        with self._store.write() as tx:
            while keys := tx.work.take(PARKED, _BATCH):
                tx.work.add(DERIVE, keys)
