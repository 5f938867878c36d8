"""Deployments over REST."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.conclusions import latest
from kubeci.local.github.deployment import (
    DESCRIPTION_LIMIT,
    Deployment,
    DeploymentStatus,
    Wish,
    deployments_of,
    find_ref,
)
from kubeci.local.github.deployment_merge import behind, merge_default
from kubeci.local.github.deployment_payloads import deployment_json, status_json
from kubeci.local.github.errors import ApiError, invalid_field, invalid_request, not_found
from kubeci.local.github.pull_payloads import PASSING
from kubeci.model.json import JsonObject

STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
_WORDS = {str: "a string", bool: "a boolean", list: "an array"}
_REQUEST = {
    "ref": str,
    "task": str,
    "environment": str,
    "auto_merge": bool,
    "required_contexts": list,
    "transient_environment": bool,
    "production_environment": bool,
}
_STATUS = {
    "state": str,
    "log_url": str,
    "target_url": str,
    "description": str,
    "environment": str,
    "environment_url": str,
    "auto_inactive": bool,
}


def _check(body: JsonObject, types: dict[str, type], needed: str) -> None:
    if needed not in body:
        raise invalid_request(f'"{needed}" wasn\'t supplied.')
    for name, kind in types.items():
        if name in body and not isinstance(body[name], kind):
            raise invalid_request(f"For 'properties/{name}', {body[name]!r} is not {_WORDS[kind]}.")


def _deployment(call: Call) -> Deployment:
    found = call.state.deployments.get(call.number("deployment_id"))
    if found is None or found.repository is not call.repository:
        raise not_found()
    return found


async def create_deployment(call: Call) -> Response:
    """Answer `POST …/deployments`: 201, 202 when the default branch was merged first, 409, 422."""
    body = call.body
    _check(body, _REQUEST, "ref")
    wish = _wish(body)
    sha = await find_ref(call.repository, wish.ref)
    if sha is None:
        raise ApiError(422, f"No ref found for: {wish.ref}")
    if body.get("auto_merge", True) and await behind(call.repository, wish.ref, sha):
        message = await merge_default(call.state, call.repository, wish.ref, call.sender.login)
        return call.answer({"message": message}, 202)
    _check_contexts(call, wish.ref, sha)
    deployment = call.services.events.deployments.create(call.repository, wish, sha, call.sender)
    answer = deployment_json(call.state, deployment)
    call.headers["location"] = answer["url"]
    return call.answer(answer, 201)


def _wish(body: JsonObject) -> Wish:
    payload: Any = body.get("payload")
    if payload is not None and not isinstance(payload, dict | str):
        raise invalid_request(f"For 'properties/payload', {payload!r} is not an object or a string.")
    description: Any = body.get("description")
    if description is not None and not isinstance(description, str):
        raise invalid_request(f"For 'properties/description', {description!r} is not a string or null.")
    return Wish(
        body["ref"],
        body.get("task") or "deploy",
        body.get("environment") or "production",
        payload,
        _described(description, "Deployment"),
        body.get("transient_environment", False),
        body.get("production_environment"),
    )


def _described(text: str | None, resource: str) -> str | None:
    if text is not None and len(text) > DESCRIPTION_LIMIT:
        message = f"description is too long (maximum is {DESCRIPTION_LIMIT} characters)"
        raise invalid_field(resource, "description", "custom", message)
    return text


def _check_contexts(call: Call, ref: str, sha: str) -> None:
    """Refuse a commit whose checks are not successful: those named, or without a list all that there are."""
    suite = call.state.suite_of(call.repository, sha)
    runs = latest(call.state.runs_of(suite)) if suite else []
    outcomes = {run.name: run.conclusion or "pending" for run in runs}
    wanted = call.body.get("required_contexts", list(outcomes))
    states = {str(name): outcomes.get(str(name), "missing") for name in wanted}
    bad = [{"context": name, "state": state} for name, state in states.items() if state not in PASSING]
    if bad:
        error = {"contexts": bad, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        raise ApiError(409, f"Conflict: Commit status checks failed for {ref}.", errors=[error])


async def list_deployments(call: Call) -> Response:
    """Answer `GET …/deployments`, newest first."""

    def fits(each: Deployment) -> bool:
        has = {
            "sha": each.sha,
            "ref": each.wish.ref,
            "task": each.wish.task,
            "environment": each.environment,
        }
        return all(call.query(name, "none") in {"none", value} for name, value in has.items())

    found = [each for each in deployments_of(call.state, call.repository) if fits(each)]
    return call.answer([deployment_json(call.state, each) for each in call.page(found)])


async def get_deployment(call: Call) -> Response:
    """Answer `GET …/deployments/{deployment_id}`."""
    return call.answer(deployment_json(call.state, _deployment(call)))


async def create_status(call: Call) -> Response:
    """Answer `POST …/deployments/{deployment_id}/statuses`."""
    deployment, body, state = _deployment(call), call.body, call.state
    _check(body, _STATUS, "state")
    if body["state"] not in STATES:
        raise invalid_field("DeploymentStatus", "state", "custom", "state is not included in the list")
    for name in ("log_url", "target_url", "environment_url"):
        if body.get(name) and not body[name].startswith(("http://", "https://")):
            message = f"{name} must use http(s) scheme"
            raise invalid_field("DeploymentStatus", name, "custom", message)
    status = DeploymentStatus(
        state.new_id(),
        body["state"],
        call.sender,
        state.now(),
        body.get("environment") or deployment.environment,
        _described(body.get("description"), "DeploymentStatus") or "",
        body.get("log_url") or body.get("target_url", ""),
        body.get("environment_url", ""),
    )
    events = call.services.events.deployments
    events.add_status(deployment, status, auto_inactive=body.get("auto_inactive", True))
    answer = status_json(state, deployment, status)
    call.headers["location"] = answer["url"]
    return call.answer(answer, 201)


async def list_statuses(call: Call) -> Response:
    """Answer `GET …/deployments/{deployment_id}/statuses`, newest first."""
    deployment = _deployment(call)
    page = call.page(list(reversed(deployment.statuses)))
    return call.answer([status_json(call.state, deployment, each) for each in page])


async def get_status(call: Call) -> Response:
    """Answer `GET …/deployments/{deployment_id}/statuses/{status_id}`."""
    deployment, number = _deployment(call), call.number("status_id")
    for status in deployment.statuses:
        if status.id == number:
            return call.answer(status_json(call.state, deployment, status))
    raise not_found()


_ALL = "/repos/{owner}/{repo}/deployments"
_ONE = f"{_ALL}/{{deployment_id}}"
_READ, _WRITE = "deployments:read", "deployments:write"
OPERATIONS = [
    Operation("GET", _ALL, list_deployments, _READ),
    Operation("POST", _ALL, create_deployment, _WRITE, creates=True),
    Operation("GET", _ONE, get_deployment, _READ),
    Operation("GET", f"{_ONE}/statuses", list_statuses, _READ),
    Operation("POST", f"{_ONE}/statuses", create_status, _WRITE, creates=True),
    Operation("GET", f"{_ONE}/statuses/{{status_id}}", get_status, _READ),
]
