"""The JSON document inside a webhook request, which GitHub sends plainly or as a form."""

from __future__ import annotations

from urllib.parse import parse_qs

from kubeci.errors import Invalid

MAX_FORM_FIELDS = 8


def payload_of(content_type: str, body: bytes) -> bytes:
    """Give the JSON document of a webhook request, taken from the form field `payload` where it is a form.

    Checks nothing of the document. The signature is over `body`, so verify that first.
    Raises `Invalid` for another content type (status 415) and for a form without the field (status 400).
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        return body
    if media_type != "application/x-www-form-urlencoded":
        raise Invalid(f"content type {media_type[:80]!r} is neither JSON nor a form", status=415)
    try:
        fields = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise Invalid("the form cannot be read", status=400) from error
    if len(fields.get("payload", ())) != 1:
        raise Invalid("the form has no single field `payload`", status=400)
    return fields["payload"][0].encode()
