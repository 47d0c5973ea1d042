"""How the door and the rate limits look in the OpenAPI document."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

_COUNTED: Final = {
    "RateLimit-Policy": ("The limit: q requests in w seconds.", '"permin";q=1000;w=60'),
    "RateLimit": ("How many requests are left, for how many seconds.", '"permin";r=999;t=42'),
}
_REFUSED: Final = {"Retry-After": ("In how many seconds to send the request again.", "42")}


def add_rate_limits(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the header fields that tell of rate limits to every answer to a known caller."""
    headers = result["components"].setdefault("headers", {})
    for name, (description, example) in (_COUNTED | _REFUSED).items():
        headers[name] = {"description": description, "schema": {"type": "string"}, "example": example}
    for methods in result["paths"].values():
        for operation in methods.values():
            for status, response in operation.get("responses", {}).items():
                names = (
                    [] if status == "401" else [*_COUNTED, *(_REFUSED if status in ("429", "503") else ())]
                )
                fields = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
                response["headers"] = fields | response.get("headers", {})
    return result


class KeySchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A key in the ``Authorization`` header."""

    target_class = "organizations.http.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "hr_…"}


class MemberSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A signed-in member's session, with a CSRF token for what writes."""

    target_class = "organizations.http.MemberAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the security scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
