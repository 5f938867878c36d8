"""Every check there is, in the order in which findings are shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from kubeci.doctor import (
    app,
    argo,
    clock,
    cluster,
    installations,
    leader,
    rights,
    services,
    settings,
    storage,
    store,
    webhook,
)
from kubeci.doctor.check import CHECK_SECONDS, Check, run
from kubeci.doctor.finding import Finding, Group
from kubeci.doctor.subject import Looked, Subject, looking


async def examine(
    subject: Subject,
    *,
    seconds: float = CHECK_SECONDS,
    tell: Callable[[Sequence[Check]], None] = lambda _: None,
) -> list[Finding]:
    """Look at everything; gives findings in the order of their groups.

    Each check may take so many seconds; `tell` is given those that still run, whenever one has ended and every second.
    """
    async with looking(subject) as looked:
        return await run(checks(looked), seconds=seconds, tell=tell)


def checks(looked: Looked) -> list[Check]:
    """Give the checks of an installation."""
    table: tuple[tuple[Group, str, Callable[[Looked], Awaitable[Sequence[Finding]]]], ...] = (
        (Group.APP, "credentials", app.credentials),
        (Group.APP, "permissions", app.permissions),
        (Group.APP, "events", app.events),
        (Group.INSTALLATIONS, "installations", installations.installations),
        (Group.WEBHOOK, "configuration", webhook.hook),
        (Group.WEBHOOK, "deliveries", webhook.deliveries),
        (Group.CLUSTER, "API server", cluster.reachable),
        (Group.CLUSTER, "namespace", cluster.namespace),
        (Group.CLUSTER, "leader", leader.leader),
        (Group.ARGO, "CRDs", argo.kinds),
        (Group.ARGO, "schema", argo.schema),
        (Group.ARGO, "controller", argo.controller),
        (Group.RIGHTS, "rights", rights.rights),
        (Group.RIGHTS, "ClusterWorkflowTemplates", rights.cluster_templates),
        (Group.STORAGE, "storage class", storage.storage_class),
        (Group.ARGO_SERVER, "argo-server", services.argo_server),
        (Group.SLACK, "token", services.slack),
        (Group.CLOCK, "against GitHub", clock.github_clock),
        (Group.CLOCK, "against the cluster", clock.cluster_clock),
    )
    return [
        Check(Group.SETTINGS, "options and files", partial(settings.settings, looked.subject)),
        Check(Group.SETTINGS, "store", partial(store.store, looked.subject)),
        *(Check(group, name, partial(look, looked)) for group, name, look in table),
    ]
