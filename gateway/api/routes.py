"""The addresses of /api/v1, each a sentence to the desk. Nothing is decided here but who may ask."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.access import Access, guarded_route
from gateway.claim.actor import Actor
from gateway.permissions import Permission
from gateway.ports import CSV_CONTENT, FHIR_CONTENT, HL7_CONTENT
from gateway.wiring import messages, partners
from gateway.wiring.desk import Desk
from gateway.wiring.explanations import explain
from gateway.wiring.ingest import Taking
from gateway.wiring.preview import preview
from gateway.wiring.rosters import OWN_ROSTER

_ERROR = {"application/json": {"example": {"error": {"kind": "not-found", "message": "there is no such claim"}}}}
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No token, or one of nobody", "content": _ERROR},
    403: {"description": "The role may not, or the state does not allow it", "content": _ERROR},
    404: {"description": "Nothing by that name", "content": _ERROR},
    409: {"description": "Somebody changed it first", "content": _ERROR},
    422: {"description": "The request is not right", "content": _ERROR},
    503: {"description": "The database does not answer; nothing was changed", "content": _ERROR},
}

_ROSTER_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            CSV_CONTENT: {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "application/edi-x12": {"schema": {"type": "string"}},
        },
    }
}

_PREVIEW_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            FHIR_CONTENT: {"schema": {"type": "object"}},
            HL7_CONTENT: {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object", "required": ["records"]}},
            "application/edi-x12": {"schema": {"type": "string"}},
        },
    }
}

Answer = dict[str, Any]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Reason(_Request):
    """Why, where a reason is not needed."""

    reason: str = Field("", max_length=1000)


class RequiredReason(_Request):
    """Why; it stays with the decision."""

    reason: str = Field(min_length=1, max_length=1000)


class OverrideRequest(RequiredReason):
    """Let one rule's block pass on one claim until a day."""

    rule: str = Field(min_length=1, description="The rule's name, as the finding has it.")
    expires_on: date


class ResolveRequest(RequiredReason):
    """What became of a file in doubt."""

    resolution: str = Field(description="resend, confirm-delivered or abandon")


class GuardRequest(RequiredReason):
    """What to make of a connection after its database was restored, or on one more machine of a running site."""

    skip: int = Field(default=1000, ge=0, description="numbers left out beyond the highest seen")
    restored: bool = True


class CloseRequest(RequiredReason):
    """What became of a work item."""

    outcome: str = Field(description="appealed, done, not-needed or written-off")


class EncounterDecision(_Request):
    """Whether two encounters told by two feeds are one."""

    encounters: tuple[str, str]
    decision: str = Field(description="same or different")
    organization: str = ""
    reason: str = Field(default="", description="Why; needed where one feed told of both")


class AgainRequest(_Request):
    """Which messages to interpret once more: one, or all that failed, of a source, for a reason."""

    message_id: str = ""
    failed: bool = False
    source: str = ""
    reason: str = ""


def api_router(desk: Desk, access: Access) -> APIRouter:
    """Every address under /api/v1."""
    router = APIRouter(prefix="/api/v1", responses=_ERRORS, route_class=guarded_route(access))
    for add in (
        _add_claims,
        _add_encounters,
        _add_authorizations,
        _add_worklist,
        _add_rosters,
        _add_exchange,
        _add_answers,
        _add_connections,
        _add_messages,
        _add_whole,
    ):
        add(router, desk, access)
    return router


def _add_claims(router: APIRouter, desk: Desk, access: Access) -> None:
    see = [Depends(access.may(Permission.SEE_CLAIMS))]

    @router.get("/claims", tags=["claims"], summary="List claims", dependencies=see)
    def claims(payer: str = "", state: str = "", limit: Annotated[int, Query(ge=0, le=10_000)] = 500) -> Answer:
        return desk.claims(payer=payer, state=state, limit=limit)

    @router.get("/claims/{claim}", tags=["claims"], summary="One claim by id, number or key", dependencies=see)
    def claim(claim: str) -> Answer:
        return desk.claim(claim)

    @router.get("/claims/{claim}/why", tags=["claims"], summary="Why it is as it is", dependencies=see)
    def why(claim: str) -> Answer:
        return desk.why(claim)

    @router.post("/claims/{claim}/release", tags=["claims"], summary="Let it leave as it is now")
    def release(
        claim: str, request: Reason, actor: Annotated[Actor, Depends(access.may(Permission.RELEASE))]
    ) -> Answer:
        return desk.release(claim, actor, request.reason)

    @router.post("/claims/{claim}/hold", tags=["claims"], summary="Keep it back until somebody releases it")
    def hold(
        claim: str, request: RequiredReason, actor: Annotated[Actor, Depends(access.may(Permission.HOLD))]
    ) -> Answer:
        return desk.hold(claim, actor, request.reason)

    @router.post("/claims/{claim}/override", tags=["claims"], summary="Let one rule's block pass, until a day")
    def override(
        claim: str, request: OverrideRequest, actor: Annotated[Actor, Depends(access.may(Permission.OVERRIDE))]
    ) -> Answer:
        return desk.override(claim, request.rule, actor, request.reason, request.expires_on)


def _add_encounters(router: APIRouter, desk: Desk, access: Access) -> None:
    @router.get(
        "/encounters",
        tags=["encounters"],
        summary="Where each encounter's bill is",
        dependencies=[Depends(access.may(Permission.SEE_CLAIMS))],
    )
    def encounters(place: str = "", on: date | None = None) -> Answer:
        return desk.encounters(place=place, on=on)

    @router.post("/encounters/decisions", tags=["encounters"], summary="Say whether two encounters are one")
    def decide(
        request: EncounterDecision, actor: Annotated[Actor, Depends(access.may(Permission.DECIDE_ENCOUNTERS))]
    ) -> Answer:
        first, second = request.encounters
        return desk.decide_encounters(first, second, request.decision, actor, request.organization, request.reason)


def _add_rosters(router: APIRouter, desk: Desk, access: Access) -> None:
    @router.get(
        "/rosters",
        tags=["rosters"],
        summary="Which rosters are loaded",
        dependencies=[Depends(access.may(Permission.SEE_COUNTS))],
    )
    def listed() -> Answer:
        return desk.rosters()

    @router.get(
        "/rosters/{kind}",
        tags=["rosters"],
        summary="The rows of one kind, as they stood at a moment",
        dependencies=[Depends(access.may(Permission.SEE_CLAIMS))],
    )
    def rows(kind: str, organization: str = "", at: datetime | None = None) -> Answer:
        moment = at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
        return desk.roster(kind, moment, organization)

    @router.post(
        "/rosters/{kind}",
        tags=["rosters"],
        summary="Load rows: credentials, eligibility, certifications, consents or authorizations, all of them or none",
        openapi_extra=_ROSTER_BODY,
    )
    def load(
        kind: str,
        content: Annotated[bytes, Depends(_body)],
        actor: Annotated[Actor, Depends(access.may(Permission.LOAD_ROSTERS))],
        organization: str = "",
        source: str = OWN_ROSTER,
        whole: bool = False,
    ) -> Answer:
        return desk.load_roster(kind, content, "body", actor, organization=organization, source=source, whole=whole)


async def _body(request: Request) -> bytes:
    """A body of whichever type the address takes."""
    return await request.body()


def _add_authorizations(router: APIRouter, desk: Desk, access: Access) -> None:
    see = [Depends(access.may(Permission.SEE_CLAIMS))]

    @router.get("/authorizations", tags=["authorizations"], summary="Where each authorization stands", dependencies=see)
    def authorizations(payer: str = "", at_risk: bool = False) -> Answer:
        return desk.authorizations(payer=payer, at_risk=at_risk)

    @router.get(
        "/authorizations/{authorization}",
        tags=["authorizations"],
        summary="What each day did to one, by number or id",
        dependencies=see,
    )
    def authorization(authorization: str) -> Answer:
        return desk.authorization(authorization)

    @router.get(
        "/attendance/reconciliation",
        tags=["whole"],
        summary="Billed and not attended, attended and not billed, by day",
        dependencies=see,
    )
    def reconciliation(since: date | None = None, until: date | None = None) -> Answer:
        return desk.reconciliation(since=since, until=until)


def _add_worklist(router: APIRouter, desk: Desk, access: Access) -> None:
    may_close = access.may(Permission.CLOSE_WORK)

    @router.get(
        "/worklist",
        tags=["worklist"],
        summary="What needs somebody soon, claim or no claim; or what was closed by hand",
        dependencies=[Depends(access.may(Permission.SEE_CLAIMS))],
    )
    def worklist(owner: str = "", closed: bool = False) -> Answer:
        return desk.worklist(owner=owner, closed=closed)

    @router.post("/worklist/{item}/close", tags=["worklist"], summary="Take an item off until something new is told")
    def close(item: str, request: CloseRequest, actor: Annotated[Actor, Depends(may_close)]) -> Answer:
        return desk.close_item(item, request.outcome, actor, request.reason)

    @router.post("/worklist/{item}/reopen", tags=["worklist"], summary="Put a closed item back")
    def reopen(item: str, request: Reason, actor: Annotated[Actor, Depends(may_close)]) -> Answer:
        return desk.reopen_item(item, actor, request.reason)


def _add_exchange(router: APIRouter, desk: Desk, access: Access) -> None:
    may_exchange = access.may(Permission.EXCHANGE)

    @router.get(
        "/exchange",
        tags=["exchange"],
        summary="What is queued, in doubt, silent, set aside at each connection",
        dependencies=[Depends(access.may(Permission.SEE_COUNTS))],
    )
    def status() -> Answer:
        return desk.exchange_status()

    @router.post("/exchange/send", tags=["exchange"], summary="Send what is released, now")
    def send(actor: Annotated[Actor, Depends(may_exchange)], connection: str = "") -> Answer:
        return desk.send(actor, connection)

    @router.post("/exchange/collect", tags=["exchange"], summary="Collect what is waiting, now")
    def collect(actor: Annotated[Actor, Depends(may_exchange)], connection: str = "") -> Answer:
        return desk.collect(actor, connection)

    @router.post("/exchange/{interchange}/resolve", tags=["exchange"], summary="Decide on a file in doubt")
    def resolve(
        interchange: str,
        request: ResolveRequest,
        actor: Annotated[Actor, Depends(access.may(Permission.RESOLVE))],
    ) -> Answer:
        return desk.resolve(interchange, request.resolution, actor, request.reason)


def _add_answers(router: APIRouter, desk: Desk, access: Access) -> None:
    @router.get(
        "/answers",
        tags=["exchange"],
        summary="What partners answered",
        dependencies=[Depends(access.may(Permission.SEE_COUNTS))],
    )
    def answers(type: str = "", status: str = "") -> Answer:
        return desk.answers(type=type, status=status)

    @router.post("/answers/{answer}/post", tags=["exchange"], summary="Post an 835 that does not balance")
    def post(
        answer: str, request: RequiredReason, actor: Annotated[Actor, Depends(access.may(Permission.POST))]
    ) -> Answer:
        return desk.post(answer, actor, request.reason)

    @router.get("/answers/{answer}/raw", tags=["exchange"], summary="One answer's bytes", response_class=Response)
    def raw(answer: str, actor: Annotated[Actor, Depends(access.may(Permission.HAND_ON_ANSWERS))]) -> Response:
        return Response(desk.raw_answer(answer, actor), media_type="application/edi-x12")

    @router.get(
        "/exchange/silences",
        tags=["exchange"],
        summary="Answers that partners owe us by their own clocks",
        dependencies=[Depends(access.may(Permission.SEE_COUNTS))],
    )
    def silences(connection: str = "") -> Answer:
        return desk.silences(connection)

    @router.get(
        "/reports",
        tags=["exchange"],
        summary="Files that came back and hold no answer",
        dependencies=[Depends(access.may(Permission.SEE_COUNTS))],
    )
    def reports() -> Answer:
        return desk.reports()

    @router.get("/reports/{report}/raw", tags=["exchange"], summary="One report's bytes", response_class=Response)
    def raw_report(report: str, actor: Annotated[Actor, Depends(access.may(Permission.HAND_ON_ANSWERS))]) -> Response:
        return Response(desk.raw_answer(report, actor), media_type="application/octet-stream")


def _add_connections(router: APIRouter, desk: Desk, access: Access) -> None:
    may_exchange, may_waive = access.may(Permission.EXCHANGE), access.may(Permission.WAIVE)
    may_move = access.may(Permission.MOVE_NUMBERS)

    @router.post(
        "/exchange/{connection}/test",
        tags=["exchange"],
        summary="Prove a connection by its edited file, step by step; no claim is sent",
        dependencies=[Depends(access.may(Permission.TEST_CONNECTIONS))],
    )
    def test(connection: str) -> Answer:
        return partners.prove_connection(desk.site.settings.folder, connection)

    @router.post("/exchange/{connection}/certify", tags=["exchange"], summary="Send a test batch, judge its answers")
    def certify(connection: str, actor: Annotated[Actor, Depends(may_exchange)], again: bool = False) -> Answer:
        return partners.certify(desk.site, connection, actor, again=again)

    @router.post("/exchange/{connection}/waive", tags=["exchange"], summary="Go live without a test batch")
    def waive(connection: str, request: RequiredReason, actor: Annotated[Actor, Depends(may_waive)]) -> Answer:
        return partners.waive_certification(desk.site, connection, actor, request.reason)

    @router.post("/exchange/{connection}/resume", tags=["exchange"], summary="Let a paused connection be tried again")
    def resume(connection: str, request: RequiredReason, actor: Annotated[Actor, Depends(may_exchange)]) -> Answer:
        return partners.resume(desk.site, connection, actor, request.reason)

    @router.post("/exchange/{connection}/guard", tags=["exchange"], summary="Move control numbers on after a restore")
    def guard(connection: str, request: GuardRequest, actor: Annotated[Actor, Depends(may_move)]) -> Answer:
        return partners.guard(
            desk.site, connection, actor, request.reason, skip=request.skip, restored=request.restored
        )


def _add_messages(router: APIRouter, desk: Desk, access: Access) -> None:
    @router.get(
        "/messages",
        tags=["messages"],
        summary="Messages as they came, and what of them failed",
        dependencies=[Depends(access.may(Permission.SEE_MESSAGES))],
    )
    def listed(
        source: str = "", failed: bool = False, reason: str = "", limit: Annotated[int, Query(ge=0, le=10_000)] = 500
    ) -> Answer:
        return desk.messages(source=source, failed_only=failed, reason=reason, limit=limit)

    @router.get(
        "/messages/{message}/explanation",
        tags=["messages"],
        summary="What each mapping entry made of a message, or of an encounter's messages; no values",
        dependencies=[Depends(access.may(Permission.SEE_MESSAGES))],
    )
    def explanation(message: str) -> Answer:
        return explain(desk.site, message)

    @router.post("/messages/again", tags=["messages"], summary="Interpret messages by the mapping set now in force")
    def again(
        request: AgainRequest, actor: Annotated[Actor, Depends(access.may(Permission.INTERPRET_AGAIN))]
    ) -> Answer:
        return messages.run_again(desk.site, actor, **request.model_dump())

    @router.post(
        "/preview",
        tags=["messages"],
        summary="What would come of a source's messages or records, or of an 837; nothing is stored",
        openapi_extra=_PREVIEW_BODY,
    )
    def preview_of(
        content: Annotated[bytes, Depends(_body)],
        actor: Annotated[Actor, Depends(access.may(Permission.PREVIEW))],  # noqa: ARG001 - asked for its permission
        source: str = "",
    ) -> Answer:
        return preview(desk.site, source, content)

    @router.post(
        "/messages",
        tags=["messages"],
        summary="Take HL7 messages, FHIR JSON or CSV attendance in, with a source's token",
    )
    async def ingest(request: Request, source: Annotated[str, Depends(access.source)], strict: bool = False) -> Answer:
        return await run_in_threadpool(_take, desk, source, await request.body(), strict)


def _take(desk: Desk, source: str, content: bytes, strict: bool) -> Answer:
    taking = Taking(desk.site, source, strict=strict)
    taking.take_bytes(content)
    return taking.finish()


def _add_whole(router: APIRouter, desk: Desk, access: Access) -> None:
    see_counts = [Depends(access.may(Permission.SEE_COUNTS))]

    @router.get("/funnel", tags=["whole"], summary="Encounters to money, in the order they go", dependencies=see_counts)
    def funnel() -> Answer:
        return desk.funnel()

    @router.get(
        "/readiness",
        tags=["whole"],
        summary="Which rosters nobody loaded, and what falls due in the next days",
        dependencies=[Depends(access.may(Permission.SEE_CLAIMS))],
    )
    def readiness(days: Annotated[int, Query(ge=0, le=366)] = 14) -> Answer:
        return desk.readiness(days)

    @router.get(
        "/mappings",
        tags=["whole"],
        summary="The mapping set in force, and whether edited files were refused",
        dependencies=see_counts,
    )
    def mappings() -> Answer:
        return desk.mappings()

    @router.get("/audit/verify", tags=["whole"], summary="The audit trail against its seals", dependencies=see_counts)
    def verify_audit() -> Answer:
        return desk.verify_audit()

    @router.get(
        "/doctor", tags=["whole"], summary="Recount from raw messages and frozen bytes", dependencies=see_counts
    )
    def doctor() -> Answer:
        return desk.doctor()

    @router.get(
        "/export",
        tags=["whole"],
        summary="Claims, lines, money and states by business identity",
        dependencies=[Depends(access.may(Permission.SEE_CLAIMS))],
    )
    def export() -> Answer:
        return desk.export()
