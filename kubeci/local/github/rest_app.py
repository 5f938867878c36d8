"""The App's own calls: who it is, its installations and tokens, its deliveries; and the rate limit."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from kubeci.local.github.app_manifest_apps import convert
from kubeci.local.github.auth import InstallationToken, narrow, new_token
from kubeci.local.github.calls import Call, Operation, integer
from kubeci.local.github.deliveries import Delivery, delivery_json, item_json
from kubeci.local.github.errors import ApiError, invalid_request, not_found
from kubeci.local.github.payloads import app_json, installation_json, repository_json, token_json
from kubeci.local.github.state import Installation

DELIVERIES_KEPT = timedelta(days=3)  # docs.github.com, "Viewing webhook deliveries"
TOKENS_KEPT = 10_000
NARROWED_TO = 500  # repositories a token can be narrowed to


async def get_app(call: Call) -> Response:
    """Answer `GET /app`."""
    return call.answer({**app_json(call.state), "events": call.state.app_events})


async def list_installations(call: Call) -> Response:
    """Answer `GET /app/installations`."""
    installations = call.page(list(call.state.installations.values()))
    return call.answer([installation_json(call.state, each) for each in installations])


def _installation(call: Call) -> Installation:
    found = call.state.installations.get(call.number("installation_id"))
    if found is None:
        raise not_found()
    return found


async def get_installation(call: Call) -> Response:
    """Answer `GET /app/installations/{installation_id}`."""
    return call.answer(installation_json(call.state, _installation(call)))


async def repository_installation(call: Call) -> Response:
    """Answer `GET /repos/{owner}/{repo}/installation`."""
    repository = call.repository
    found = call.state.installation_of(repository.owner)
    if found is None or not found.holds(repository):
        raise not_found()
    return call.answer(installation_json(call.state, found))


async def create_token(call: Call) -> Response:
    """Answer `POST /app/installations/{installation_id}/access_tokens`, narrowing what the token may do."""
    installation = _installation(call)
    if installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
    unknown = set(call.body) - {"repositories", "repository_ids", "permissions"}
    if unknown:
        raise invalid_request(f'No subschema in "anyOf" matched.\n{_listed(unknown)} is not a permitted key.')
    permissions = dict(installation.permissions)
    if wanted := call.body.get("permissions"):
        if not isinstance(wanted, dict):
            raise invalid_request("For 'properties/permissions', it is not an object.")
        permissions = narrow(installation.permissions, {str(k): str(v) for k, v in wanted.items()})
    state = call.state
    token = new_token(installation.id, permissions, _narrowed(call, installation), state.now())
    state.tokens[token.token] = token
    while len(state.tokens) > TOKENS_KEPT:
        del state.tokens[next(iter(state.tokens))]
    return call.answer(token_json(state, token), 201)


def _narrowed(call: Call, installation: Installation) -> frozenset[int] | None:
    names, ids = call.body.get("repositories"), call.body.get("repository_ids")
    if not names and not ids:
        return None
    if not isinstance(names or [], list) or not isinstance(ids or [], list):
        raise invalid_request("For 'properties/repositories', it is not an array.")
    reached = {
        repository.id: repository.name.lower()
        for repository in call.state.repositories.values()
        if installation.holds(repository)
    }
    wanted_names = {str(name).lower() for name in names or []}
    wanted_ids = {each if isinstance(each, int) else -1 for each in ids or []}
    chosen = {i for i, name in reached.items() if i in wanted_ids or name in wanted_names}
    missing = (wanted_ids - reached.keys()) or (wanted_names - set(reached.values()))
    if missing or len(chosen) > NARROWED_TO:
        raise ApiError(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    return frozenset(chosen)


def _listed(names: set[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))


def _token(call: Call) -> InstallationToken:
    assert call.token is not None
    return call.token


async def revoke_token(call: Call) -> Response:
    """Answer `DELETE /installation/token`."""
    call.state.tokens.pop(_token(call).token, None)
    return Response(status_code=204)


async def installation_repositories(call: Call) -> Response:
    """Answer `GET /installation/repositories`."""
    state, token = call.state, _token(call)
    reached = [r for r in state.repositories.values() if state.reaches(token, r)]
    page = [repository_json(state, repository) for repository in call.page(reached)]
    return call.answer({"total_count": len(reached), "repository_selection": "all", "repositories": page})


async def list_deliveries(call: Call) -> Response:
    """Answer `GET /app/hook/deliveries`, newest first, paged by cursor."""
    wanted = call.query("status")
    kept = call.state.now() - DELIVERIES_KEPT
    sent = [d for d in reversed(call.services.deliveries.sent) if d.delivered_at > kept]
    newest = [d for d in sent if d.status != "pending"]
    if wanted:
        newest = [d for d in newest if _succeeded(d) == (wanted == "success")]
    if cursor := integer(call.query("cursor"), 0):
        newest = [d for d in newest if d.id <= cursor]
    per_page = call.per_page
    if len(newest) > per_page:
        after = call.request.url.include_query_params(cursor=newest[per_page].id)
        call.headers["link"] = f'<{after}>; rel="next"'
    return call.answer([item_json(delivery) for delivery in newest[:per_page]])


def _succeeded(delivery: Delivery) -> bool:
    return 200 <= delivery.status_code < 400


def _delivery(call: Call) -> Delivery:
    found = call.services.deliveries.find(call.number("delivery_id"))
    if found is None:
        raise not_found()
    return found


async def get_delivery(call: Call) -> Response:
    """Answer `GET /app/hook/deliveries/{delivery_id}`."""
    return call.answer(delivery_json(_delivery(call), call.services.deliveries.url))


async def redeliver(call: Call) -> Response:
    """Answer `POST /app/hook/deliveries/{delivery_id}/attempts`: the same guid once more."""
    earlier = _delivery(call)
    call.services.deliveries.add(earlier.event, earlier.payload, guid=earlier.guid)
    return call.answer({}, 202)


async def hook_config(call: Call) -> Response:
    """Answer `GET /app/hook/config`."""
    deliveries = call.services.deliveries
    return call.answer({**deliveries.config, "url": deliveries.url})


async def rate_limit(call: Call) -> Response:
    """Answer `GET /rate_limit`, which costs nothing."""
    limits, now = call.services.limits, call.state.now()
    resources = {}
    for resource in ("core", "graphql", "search"):
        window = limits.window(call.caller, resource, now)
        limit = limits.requests_per_hour
        resources[resource] = {
            "limit": limit,
            "used": window.used,
            "remaining": max(0, limit - window.used),
            "reset": int(window.reset.timestamp()),
        }
    return call.answer({"resources": resources, "rate": resources["core"]})


OPERATIONS = [
    Operation("POST", "/app-manifests/{code}/conversions", convert, caller="anybody"),
    Operation("GET", "/app", get_app, caller="app"),
    Operation("GET", "/app/hook/config", hook_config, caller="app"),
    Operation("GET", "/app/hook/deliveries", list_deliveries, caller="app"),
    Operation("GET", "/app/hook/deliveries/{delivery_id}", get_delivery, caller="app"),
    Operation("POST", "/app/hook/deliveries/{delivery_id}/attempts", redeliver, caller="app"),
    Operation("GET", "/app/installations", list_installations, caller="app"),
    Operation("GET", "/app/installations/{installation_id}", get_installation, caller="app"),
    Operation("POST", "/app/installations/{installation_id}/access_tokens", create_token, caller="app"),
    Operation("GET", "/repos/{owner}/{repo}/installation", repository_installation, caller="app"),
    Operation("GET", "/installation/repositories", installation_repositories),
    Operation("DELETE", "/installation/token", revoke_token),
    Operation("GET", "/rate_limit", rate_limit, caller="either"),
]
