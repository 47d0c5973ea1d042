"""How the door looks in the OpenAPI document."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


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
