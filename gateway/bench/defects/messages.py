"""Charts as the messages of their EHR, in order of time, edits made; the clinic itself first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from gateway.bench.defects.chart import Chart, Row
from gateway.bench.defects.edits import Edit, edit_bundle, edit_message
from gateway.demo import clinic, fhir_feed, hl7_feed
from gateway.demo.feed import Feed, FeedMessage
from gateway.demo.truth import Attendance, Telling


def messages_of(charts: Sequence[Chart]) -> list[tuple[FeedMessage, int]]:
    """Everything the EHRs tell of the charts, each message with its patient's number; the clinic's own with 0."""
    everyone = [one for chart in charts for one in (chart, *chart.companions)]
    told = [
        (telling, chart, f"D{chart.patient.number:06d}{place:03d}")
        for chart in everyone
        for place, telling in enumerate(chart.tellings())
    ]
    told.sort(key=lambda each: (each[0].at, each[2]))
    strangers = tuple(clinician for chart in everyone for clinician in chart.clinicians)
    clinic_itself = fhir_feed.clinic_message((*clinic.CLINICIANS, *strangers))
    return [(clinic_itself, 0), *((_message(*each), each[1].patient.number) for each in told)]


def _message(telling: Telling, chart: Chart, control: str) -> FeedMessage:
    edits = [each for each in chart.edits if _applies(each, telling)]
    if telling.feed is Feed.FHIR:
        content = edit_bundle(fhir_feed.render(telling, control), edits)
    else:
        content = edit_message(hl7_feed.render(telling, control), edits)
    content = chart.rewritten(content) if chart.rewritten else content
    return FeedMessage(at=telling.at, feed=telling.feed, content=content, label=telling.label)


def _applies(edit: Edit, telling: Telling) -> bool:
    if edit.label and edit.label != telling.label:
        return False
    if edit.on is None:
        return True
    return isinstance(telling.event, Attendance) and any(
        visit.start_at.astimezone(clinic.ZONE).date() == edit.on for visit in telling.event.visits
    )


def rosters_of(charts: Sequence[Chart]) -> Mapping[str, list[Row]]:
    """The rows of the charts by roster."""
    rosters: dict[str, list[Row]] = defaultdict(list)
    for chart in charts:
        for one in (chart, *chart.companions):
            for kind, rows in one.rosters.items():
                rosters[kind] += rows
    return rosters
