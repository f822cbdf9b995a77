"""Each stage, run small: it comes to its end on real parts and its rows have the shape that `bench --json` promises."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.bench import (
    STAGES,
    exchange,
    fhir_ingest,
    gate,
    hl7_ingest,
    long,
    mapping_files,
    pipeline,
    run,
    score,
    stages,
    what_if,
    workers,
    x12,
)
from gateway.bench.children import ChildFailed, Outcome, run_task
from gateway.bench.machine import version_of
from gateway.errors import NotFound

KEYS = {"name", "value", "unit", "reference", "reference_value", "ratio", "budget", "met", "note"}
TINY = 0.001


def assert_measured(rows: list[dict[str, Any]]) -> None:
    assert rows
    for row in rows:
        assert set(row) == KEYS
        assert row["value"] > 0
        assert row["reference_value"] > 0
        assert row["ratio"] == pytest.approx(row["value"] / row["reference_value"], rel=0.02, abs=0.001)
        assert isinstance(row["met"], bool)
        assert row["name"] and row["unit"] and row["reference"] and row["budget"]


def test_the_guide_check_and_pyx12_say_the_same_of_clean_and_of_defective_claims() -> None:
    rows = x12.check(TINY)
    assert_measured(rows)
    assert [row["note"].startswith("same verdict") for row in rows[:2]] == [True, True]


def test_the_reading_stage_measures_every_reader_that_is_installed() -> None:
    rows = x12.read(TINY)
    assert_measured(rows)
    assert any(f"oxedi {version_of('oxedi')}" == row["reference"] for row in rows)


def test_a_reader_that_is_not_installed_is_a_note_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x12, "version_of", lambda _: "")
    beside_oxedi, beside_x12sdk, beside_split = x12.read(TINY)
    for row in (beside_oxedi, beside_x12sdk):
        assert (row["reference_value"], row["ratio"], row["met"]) == (None, None, False)
        assert "is not installed" in row["note"]
    assert beside_split["ratio"] > 0


def test_memory_is_that_of_a_process_which_does_nothing_else() -> None:
    rows = x12.memory(TINY)
    assert_measured(rows)
    assert all(row["value"] < 300 for row in rows)


def test_a_check_of_a_large_site_finds_nothing_wrong_with_it_three_times() -> None:
    assert_measured(mapping_files.check_large_site(TINY))


def test_every_stored_encounter_is_worked_through_for_a_what_if() -> None:
    assert_measured(what_if.foretell(TINY))


def test_every_hl7_message_sent_over_mllp_is_on_disk() -> None:
    assert_measured(hl7_ingest.receive(TINY))


def test_every_bundle_sent_over_http_is_answered() -> None:
    assert_measured(fhir_ingest.receive(TINY))


def test_the_gate_judges_claims_with_their_context() -> None:
    assert_measured(gate.judge_month(TINY))


def test_every_weekly_claim_is_derived_and_frozen() -> None:
    assert_measured(pipeline.bill(TINY))


def test_every_claim_goes_out_over_sftp_and_its_payment_comes_back() -> None:
    assert_measured(exchange.trade(TINY))


def test_a_day_goes_all_the_way_to_frozen_claims_and_a_long_remittance_balances() -> None:
    assert_measured(long.day(TINY))
    assert_measured(long.remittance(TINY))


def test_two_workers_share_the_work_on_postgresql(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workers.DATABASE, postgres_url)
    assert_measured(workers.share_a_week(TINY))


def test_without_a_database_the_workers_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(workers.DATABASE, raising=False)
    (row,) = workers.share_a_week(TINY)
    assert (None, False) == (row["value"], row["met"])


# --- running them ----------------------------------------------------------------------------------------------------


def test_a_run_names_the_machine_and_has_the_rows_of_the_stages_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def instead(task: str, *_: object, **__: object) -> Outcome:
        asked.append(task)
        return Outcome([{"name": task}], 1.0)

    monkeypatch.setattr(stages, "run_task", instead)
    found = run(["gate", "x12", "gate"])
    assert asked == [*STAGES["gate"], *STAGES["x12"]]
    assert found["rows"] == [{"name": task} for task in asked]
    assert "Python" in found["machine"] and "pyx12" in found["machine"]


def test_a_task_that_breaks_takes_no_other_figure_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(task: str, *_: object, **__: object) -> Outcome:
        raise ChildFailed(f"{task} broke: no space left")

    monkeypatch.setattr(stages, "run_task", broken)
    (row,) = run(["pipeline"])["rows"]
    assert (row["value"], row["met"], row["note"]) == (None, False, "pipeline.bill broke: no space left")


def test_the_long_stage_is_measured_when_it_is_named_and_in_no_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def instead(task: str, *_: object, **__: object) -> Outcome:
        asked.append(task)
        return Outcome([], 1.0)

    monkeypatch.setattr(stages, "run_task", instead)
    run()
    assert not {*STAGES["long"]} & {*asked}
    run(["long"])
    assert asked[-len(STAGES["long"]) :] == [*STAGES["long"]]


def test_an_unknown_stage_is_refused_by_name_with_those_there_are() -> None:
    with pytest.raises(
        NotFound,
        match=r"no stage named 'x13'; the stages are x12, ingest, gate, pipeline, exchange, workers, mappings, long",
    ):
        run(["x13"])


def test_every_task_of_every_stage_exists() -> None:
    modules = {
        each.__name__.rpartition(".")[2]: each
        for each in (
            exchange,
            fhir_ingest,
            gate,
            hl7_ingest,
            long,
            mapping_files,
            pipeline,
            score,
            what_if,
            workers,
            x12,
        )
    }
    for task in (each for tasks in STAGES.values() for each in tasks):
        module, _, function = task.partition(".")
        assert callable(getattr(modules[module], function))


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(ChildFailed, match=r"x12\.hold_835 broke: .*No such file"):
        run_task("x12.hold_835", path="/nowhere/at-all.x12")
