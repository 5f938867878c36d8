"""The API server's refusals, as it words them: Kubernetes `Status` objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeci.errors import KubeCIError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject


class ApiError(KubeCIError):
    """A request the API server refuses; `status()` is the body it answers with.

    `code` is the HTTP status, `reason` the machine's word for it ("" is left out), `details` and `metadata` are
    those of the Status object, `headers` come on top of the usual ones.
    """

    def __init__(self, code: int, reason: str, message: str, *, details: JsonObject | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata: JsonObject = {}
        self.headers: Mapping[str, str] = {}

    def status(self) -> JsonObject:
        """Give the Status object, with its keys in the order the server writes them."""
        body: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


class Expired(ApiError):
    """The history a watch or a paged list needs is gone (410); list again."""

    def __init__(self, message: str) -> None:
        super().__init__(410, "Expired", message)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an object is invalid: where, what, and the machine's word for it."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


_BLOCKING = {
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
}
_UNCHECKED = Cause(
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
_OPTIONS = {
    "POST": "CreateOptions",
    "PUT": "UpdateOptions",
    "PATCH": "PatchOptions",
    "DELETE": "DeleteOptions",
    "LIST": "ListOptions",
}


def blocks(cause: Cause) -> bool:
    """Say whether, after this cause, the rules of a CustomResourceDefinition are not checked."""
    return cause.reason in _BLOCKING


def details(resource: Resource, name: str = "") -> JsonObject:
    """Give the `details` that name an object; what is empty is left out."""
    parts = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in parts.items() if value}


def not_found(resource: Resource, name: str) -> ApiError:
    """Refuse since there is no such object."""
    return ApiError(
        404, "NotFound", f'{resource.qualified} "{name}" not found', details=details(resource, name)
    )


def already_exists(resource: Resource, name: str) -> ApiError:
    """Refuse to create what is there."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=details(resource, name))


def modified_since(resource: Resource, name: str) -> ApiError:
    """Refuse a write that rests on a stale resourceVersion."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """Refuse a write because of the object's present state."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=details(resource, name))


def precondition_failed(resource: Resource, name: str, why: str) -> ApiError:
    """Refuse a deletion whose precondition does not hold; the object is named by its kind here."""
    message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": {why}'
    return ApiError(409, "Conflict", message, details={**details(resource, name), "kind": resource.kind})


def bad_request(message: str) -> ApiError:
    """Refuse a request that cannot be understood."""
    return ApiError(400, "BadRequest", message)


def invalid(resource: Resource, name: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse an object that breaks rules; several causes are put in brackets, as the server does."""
    found = list(causes)
    if resource.custom and any(blocks(cause) for cause in found):
        found.append(_UNCHECKED)
    return invalid_kind(resource.qualified_kind, name, found, group=resource.group)


def no_version(resource: Resource, name: str) -> ApiError:
    """Refuse an update that does not say which version it rests on; the resource is named by its plural here."""
    cause = Cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
    return invalid_kind(resource.qualified, name, [cause], group=resource.group)


def invalid_options(method: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse what a query asks of a method (`POST`, `PUT`, ...)."""
    return invalid_kind(f"{_OPTIONS[method]}.meta.k8s.io", "", causes, group="meta.k8s.io")


def invalid_kind(kind: str, name: str, causes: Iterable[Cause], *, group: str = "") -> ApiError:
    """Refuse as `invalid` does, for a kind that is no resource (`PodLogOptions`)."""
    found = list(causes)
    texts = [f"{cause.field}: {cause.message}" for cause in found]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    parts = {"name": name, "group": group, "kind": kind.removesuffix(f".{group}")}
    body: JsonObject = {key: value for key, value in parts.items() if value}
    body["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in found]
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {text}', details=body)
