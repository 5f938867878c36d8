"""What the API takes and gives, as JSON; the OpenAPI document is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

SHA = "0123456789abcdef0123456789abcdef01234567"
OWNER = r"[A-Za-z0-9_][-A-Za-z0-9_]{0,99}"
NAME = r"(?!\.{1,2}$)[-A-Za-z0-9_.]{1,100}"
REF = r"^(?!refs/)[^\s\x00-\x1f\x7f~^:?*\[\\]{1,255}$"

Cursor = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,16}$", description="`next` of the page before.", examples=["1767225600000000"]),
]


class Request(Struct, forbid_unknown_fields=True, frozen=True):
    """The base of what is asked: fields that nobody knows are refused."""

    def __post_init__(self) -> None:
        """Refuse what a pattern's `$` lets through."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and value.endswith("\n"):
                raise ValueError(f"`{name}` ends in a line break")


class RunRequest(Request, frozen=True):
    """A commit to render or to run."""

    org: Annotated[
        str,
        Meta(
            pattern=f"^{OWNER}$",
            description="Owner of the repository, also a user's name.",
            examples=["acme"],
        ),
    ]
    repo: Annotated[
        str, Meta(pattern=rf"^{NAME}$", description="Name of the repository.", examples=["widgets"])
    ]
    ref: Annotated[str, Meta(pattern=REF, description="Short name of the branch or tag.", examples=["main"])]
    hash: Annotated[
        str, Meta(pattern="^[0-9a-fA-F]{40}$", description="The commit's full sha.", examples=[SHA])
    ]
    ref_type: Annotated[
        Literal["", "branch", "tag"], Meta(description="What `ref` names; empty: a branch.")
    ] = ""
    ci_context: Annotated[
        dict[str, str] | None,
        Meta(
            description="CI files in place of the repository's own, by path within the CI folder; a `/` before a path is cut.",
            examples=[{"ci.star": "workflow = None"}],
        ),
    ] = None
    entrypoint: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{0,253}$",
            description="Template to start; empty: the one the definition names.",
        ),
    ] = ""
    run: Annotated[bool, Meta(description="Submit it; else it is only rendered.")] = False


class ListQuery(Request, frozen=True):
    """Which runs to list."""

    repository: (
        Annotated[
            str,
            Meta(
                pattern=rf"^{OWNER}/{NAME}$",
                description="`owner/name`; default: all that the token reaches.",
                examples=["acme/widgets"],
            ),
        ]
        | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, description="Runs a page.")] = 50
    before: Cursor | UnsetType = UNSET


class LogQuery(Request, frozen=True):
    """Which log to read."""

    node: Annotated[str, Meta(pattern="^[!-~]{1,300}$", description="`id` of a step of type Pod.")]
    container: Annotated[
        str,
        Meta(
            pattern="^[-a-z0-9]{0,63}$",
            description="A container of its pod; default: the first that is the author's.",
        ),
    ] = ""
    follow: Annotated[bool, Meta(description="Wait for what comes until the container ends.")] = False


class Workflow(Struct, frozen=True):
    """The Argo workflow of a run, which may be gone from the cluster by now."""

    namespace: str
    name: str


class Links(Struct, frozen=True):
    """Where people see a run; null where there is nothing to see."""

    check_run: str | None
    workflow: str | None


class Run(Struct, frozen=True):
    """A run."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{40}$", examples=[SHA])]
    repository: Annotated[str, Meta(description="`owner/name`.", examples=["acme/widgets"])]
    sha: Annotated[str, Meta(examples=[SHA])]
    ref: Annotated[
        str, Meta(description="Empty where GitHub names none (commits of forks).", examples=["main"])
    ]
    ref_type: Literal["branch", "tag"]
    entrypoint: str
    check_name: Annotated[str, Meta(examples=["Workflow - main"])]
    state: Literal["submitting", "running", "finished", "skipped", "lost", "offered"]
    conclusion: Annotated[
        str | None,
        Meta(description="The check-run's conclusion; null while it has none.", examples=["success"]),
    ]
    what: Annotated[
        str, Meta(description="What asked for it: a row of the setting `trust`.", examples=["push", "api"])
    ]
    actor: Annotated[
        str, Meta(description="Who asked for it, where that is known.", examples=["octocat", "api:deploys"])
    ]
    title: str
    pull_request: int | None
    environment: Annotated[
        str, Meta(description="The environment that it deploys to, where a deployment asked for it.")
    ]
    stopped: Annotated[str, Meta(description="Why it was stopped; empty: it was not.")]
    superseded_by: Annotated[
        str, Meta(description="Id of the newer run that took its place; empty: none did.")
    ]
    created_at: datetime
    finished_at: datetime | None
    workflow: Workflow | None
    links: Links


class Step(Struct, frozen=True):
    """A node of the workflow."""

    id: str
    label: str
    type: Annotated[str, Meta(examples=["Pod"])]
    phase: Annotated[str, Meta(examples=["Succeeded"])]
    depth: Annotated[int, Meta(description="How many steps it stands in.")]
    message: str
    started_at: Annotated[str, Meta(description="ISO 8601; empty: it has not begun.")]
    finished_at: str


class Remark(Struct, frozen=True):
    """An annotation of the check-run."""

    path: str
    line: int
    level: Literal["notice", "warning", "failure"]
    message: str


class RunDetail(Struct, frozen=True):
    """A run with its steps as they are now, or as they were seen last, and its first 1,000 annotations."""

    run: Run
    phase: Annotated[
        str, Meta(description="The workflow's phase in Argo's words; empty: not begun.", examples=["Running"])
    ]
    title: Annotated[str, Meta(description="The check-run's title.")]
    summary: Annotated[str, Meta(description="The check-run's summary, Markdown.")]
    steps: list[Step]
    annotations: list[Remark]
    warnings: tuple[str, ...]
    prints: Annotated[tuple[str, ...], Meta(description="What the definition printed.")]
    loaded: Annotated[tuple[str, ...], Meta(description="What the definition loaded from elsewhere.")]


class RunList(Struct, frozen=True):
    """A page of runs, newest first."""

    runs: list[Run]
    next: Annotated[str | None, Meta(description="`before` of the next page; null: this is the last.")]


class Rendering(Struct, frozen=True):
    """What would be submitted."""

    workflow: Annotated[dict[str, Any], Meta(description="The Argo workflow.")]
    debug: Annotated[str, Meta(description="What the definition printed, and its warnings.")]


class Submission(Struct, frozen=True):
    """What was submitted."""

    workflow: dict[str, Any]
    debug: str
    run: Run


class Told(Struct, frozen=True):
    """What came of it."""

    message: str
    run: Run


class Place(Struct, frozen=True):
    """A place in the CI files; 0: not known."""

    path: str
    line: int
    column: int


class Refusal(Struct, frozen=True):
    """Why not."""

    message: str
    field: str | UnsetType = UNSET
    debug: str | UnsetType = UNSET
    where: Place | UnsetType = UNSET
