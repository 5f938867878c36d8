"""The errors that GitHub's REST API answers with."""

from __future__ import annotations

from starlette.responses import JSONResponse

from kubeci.model.json import JsonObject

DOCUMENTATION = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer of the API that is not a success; `errors` as in GitHub's validation errors."""

    def __init__(self, status: int, message: str, *, errors: list[JsonObject] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    def response(self) -> JSONResponse:
        """Give the error as GitHub's JSON."""
        body: JsonObject = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        return JSONResponse(
            {**body, "documentation_url": DOCUMENTATION, "status": str(self.status)}, self.status
        )


def not_found() -> ApiError:
    """Say 404, which also hides what the caller may not see."""
    return ApiError(404, "Not Found")


def invalid_field(resource: str, field: str, code: str = "invalid", message: str = "") -> ApiError:
    """Say 422 for a field whose value cannot be taken."""
    error = {"resource": resource, "code": code, "field": field}
    return ApiError(422, "Validation Failed", errors=[{**error, "message": message} if message else error])


def invalid_request(message: str) -> ApiError:
    """Say 422 for a body of the wrong shape, before its fields are looked at."""
    return ApiError(422, f"Invalid request.\n\n{message}")
