"""Do GitHub's webhooks lead to the server, and does it take them?"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from kubeci.doctor.app import settings_page
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_APP, Looked
from kubeci.doctor.times import ago
from kubeci.github.app_look import Hook
from kubeci.model.attempt import Attempt

PATH = "/webhooks/github"
_WHY = "GitHub tells us of commits by webhooks: without them nothing is built"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def hook(looked: Looked) -> Sequence[Finding]:
    """Look at the webhook's configuration."""
    app = await looked.app.needed(NO_APP)
    configured = await (await looked.github.get()).hook()
    page = settings_page(app, looked.subject.github)
    found = [
        Finding(Group.WEBHOOK, name, state, told, why, f"{remedy} at {page}")
        for name, state, told, why, remedy in _faults(configured)
    ]
    return found or [Finding(Group.WEBHOOK, "configuration", State.OK, _shown(configured.url))]


def _faults(hook: Hook) -> list[tuple[str, State, str, str, str]]:
    """Give name, state, what there is, why it matters and what mends it, of each thing that is not right."""
    if not hook.url:
        remedy = f"tick Active, and set the webhook's URL to https://SERVER{PATH}"
        return [("URL", State.WRONG, "none", _WHY, remedy)]
    found = []
    address = urlsplit(hook.url)
    if not address.path.endswith(PATH):
        remedy = f"set the webhook's URL to https://{_host(hook.url)}{PATH}"
        found.append(("URL", State.WRONG, f"{_shown(hook.url)} does not end in {PATH}", _WHY, remedy))
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        why = "payloads of private repositories go over the network for everybody to read"
        found.append(("TLS", State.WARNING, _shown(hook.url), why, "set the webhook's URL to one of https"))
    elif str(hook.insecure_ssl) == "1":
        why = "whoever can answer in the server's place gets the payloads"
        found.append(("TLS", State.WARNING, "certificates are not verified", why, "enable SSL verification"))
    if not hook.secret:
        why = "the server takes only what is signed by it: every delivery is refused"
        found.append(("secret", State.WRONG, "none is set", why, "set it to what stands in --secretfile"))
    if hook.content_type != "json":
        why = "it works, but a form is a third larger and cut off earlier"
        told = f"{hook.content_type}; json is expected"
        found.append(("content type", State.WARNING, told, why, "choose application/json"))
    return found


def _shown(url: str) -> str:
    """Write an address without what may be a secret in it."""
    address = urlsplit(url)
    return f"{address.scheme}://{_host(url)}{address.path}"


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


async def deliveries(looked: Looked) -> Sequence[Finding]:
    """Look at what became of the newest deliveries; of an event that was sent again only the last attempt counts."""
    app = await looked.app.needed(NO_APP)
    sent = await (await looked.github.get()).deliveries()
    newest: dict[str, Attempt] = {}
    for each in sent:
        newest.setdefault(each.guid, each)
    tried = list(newest.values())
    now = looked.subject.now()
    page = f"{settings_page(app, looked.subject.github)}/advanced"
    if not tried:
        told = (
            "skipped: GitHub has sent nothing in the last days; push a commit, or press Redeliver at " + page
        )
        return [Finding(Group.WEBHOOK, "deliveries", State.UNKNOWN, told)]
    failed = [each for each in tried if not each.good]
    good = next((each for each in tried if each.good), None)
    last = f"the last good one {ago(good.delivered_at, now)}" if good else "none is good"
    told = f"{len(tried) - len(failed)} of {len(tried)} taken, {last}"
    if not failed:
        return [Finding(Group.WEBHOOK, "deliveries", State.OK, told)]
    codes = sorted({_code(each) for each in failed})
    # What was mended since is no fault any more: GitHub does not send it again by itself, though.
    state = State.WARNING if tried[0].good else State.WRONG
    remedy, command = _remedy(failed[0], page)
    if state is State.WARNING:
        remedy, command = f"the server asks for what failed since again; or press Redeliver at {page}", ""
    return [Finding(Group.WEBHOOK, "deliveries", state, f"{told}; {', '.join(codes)}", _WHY, remedy, command)]


def _code(delivery: Attempt) -> str:
    reached = delivery.status_code and not _unreached(delivery)
    return f"answered {delivery.status_code}" if reached else delivery.status or "no answer"


def _unreached(delivery: Attempt) -> bool:
    told = delivery.status.lower()
    return delivery.status_code == 0 or "timed out" in told or "failed to connect" in told


def _remedy(newest: Attempt, page: str) -> tuple[str, str]:
    status = newest.status_code
    if _unreached(newest):
        reach = "GitHub cannot reach the server: look at its Ingress, DNS, certificate and firewall, and that it runs"
        return reach, "kubectl get ingress,service,endpoints --all-namespaces"
    if status in {401, 403}:
        return f"the webhook's secret is not what stands in --secretfile: set the same at {page}", ""
    if status == 404:
        return (
            f"the path is wrong, or another server answers: the URL must end in {PATH}; set it at {page}",
            "",
        )
    if status >= 500:
        return (
            "the server or what stands before it fails: look at its log",
            "kubectl logs --namespace kubeci deployment/kubeci",
        )
    return f"GitHub shows the answer at {page}", ""
