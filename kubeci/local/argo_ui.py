"""A page for each workflow of the local cluster, where the Argo UI would stand: its steps and their logs."""

from __future__ import annotations

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.workflow.pod_names import pod_name
from kubeci.workflow.status import read_state

LOG_BYTES = 200_000  # of each pod's log, its end

_PAGE = Environment(autoescape=True).from_string("""\
<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ state.name }}</title>
{% if not state.ended %}<meta http-equiv="refresh" content="1">{% endif %}
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1f2328 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d1d9e0 }
pre { background: #f6f8fa; padding: .8rem; overflow: auto; font-size: 13px } .Succeeded { color: #1a7f37 } .Failed, .Error { color: #d1242f }
.chosen { background: #fff8c5; outline: 2px solid #d4a72c; outline-offset: -2px } pre.chosen { background: #fff8c5 }
</style>
<p>The local cluster. In a real one, the Argo UI stands here.</p>
<h1>{{ state.name }}</h1>
<p class="{{ state.phase }}">{{ state.phase or "Waiting" }}{% if state.message %}: {{ state.message }}{% endif %}</p>
<table><tr><th>Step<th>Type<th>Phase<th>Message</tr>
{% for node in state.nodes %}<tr id="{{ node.id }}"{% if node.id == chosen %} class="chosen" aria-current="true" tabindex="-1" autofocus{% endif %}><td style="padding-left: {{ node.depth + 0.6 }}rem">{{ node.display_name }}<td>{{ node.type }}
<td class="{{ node.phase }}">{{ node.phase }}<td>{{ node.message }}</tr>{% endfor %}</table>
{% for node, text in logs %}<h2>{{ node.display_name }}</h2><pre{% if node.id == chosen %} class="chosen"{% endif %}>{{ text }}</pre>{% endfor %}
""")


def argo_ui(objects: Objects) -> Starlette:
    """Give the application; `/workflows/NAMESPACE/NAME` is the address that check-runs lead to.

    With the query `tab=workflow&nodeId=ID`, as in the Argo UI, that node is marked.
    """

    async def workflow(request: Request) -> HTMLResponse:
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        try:
            state = read_state(objects.get(WORKFLOWS, namespace, name))
        except ApiError:
            return HTMLResponse("<h1>There is no such workflow (any more).</h1>", 404)
        logs = []
        for node in state.nodes:
            buffer = (
                objects.logs.get((namespace, pod_name(name, node), "main")) if node.type == "Pod" else None
            )
            if buffer is not None:
                pieces, _ = buffer.pieces()
                content = b"".join(piece.data for piece in pieces)[-LOG_BYTES:]
                logs.append((node, content.decode(errors="replace")))
        chosen = request.query_params.get("nodeId", "")
        return HTMLResponse(_PAGE.render(state=state, logs=logs, chosen=chosen))

    return Starlette(routes=[Route("/workflows/{namespace}/{name}", workflow)])
