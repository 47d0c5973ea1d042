"""`/keys` and `/audit`."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.paging import CURSOR_PARAMS, OFFSET_PARAMS, next_link, read_cursor_page, read_offset_page
from core.problems import forbidden
from core.schema import CURSOR_PARAMETERS, OFFSET_PARAMETERS, listing, parameter, problems
from organizations import queries, services
from organizations.audit import KINDS, audit_page
from organizations.http import TenantAPIView, TenantViewSet
from organizations.roles import Role, Scope, grantable
from organizations.serializers import (
    AuditEntryOutput,
    AuditPageOutput,
    CredentialInput,
    CredentialOutput,
    CredentialPageOutput,
    IssuedCredentialOutput,
)
from organizations.services import IssuedCredential

KIND_PARAMETER = parameter(
    "kind",
    f"Only these kinds, separated by commas: {', '.join(sorted(KINDS))}.",
    type=listing(sorted(KINDS)),
)


class KeyViewSet(TenantViewSet):
    """The organization's credentials; a developer's are those they made."""

    required_scopes: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "POST", "DELETE"), Scope.KEYS_WRITE)
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"list": OFFSET_PARAMS}

    @extend_schema(
        operation_id="listKeys",
        summary="List keys",
        description="The organization's credentials, newest first, revoked ones too.",
        parameters=OFFSET_PARAMETERS,
        responses={200: CredentialPageOutput, **problems()},
    )
    def list(self, request: Request) -> Response:
        """Answer a page of credentials."""
        page = read_offset_page(self.params)
        found, total = queries.credentials(
            self.caller.organization_id, limit=page.limit, offset=page.offset, owned_by_id=self._owner_id
        )
        items = CredentialOutput(found, many=True).data
        return Response({"items": items, "pagination": page.pagination(total)})

    @extend_schema(
        operation_id="createKey",
        summary="Create a key",
        description="The secret is in this answer and can't be had again.",
        request=CredentialInput,
        responses={201: IssuedCredentialOutput, **problems(415, 422)},
    )
    def create(self, request: Request) -> Response:
        """Make a credential and answer it with its secret."""
        body = CredentialInput(data=request.data)
        body.is_valid(raise_exception=True)
        issued = services.create_credential(
            organization_id=self.caller.organization_id,
            created_by_id=self.caller.user_id,
            grantable=self._grantable,
            **body.validated_data,
        )
        location = request.build_absolute_uri(f"{request.path}/{issued.credential.client_id}")
        return Response(_with_secret(issued), status=201, headers={"Location": location})

    @extend_schema(
        operation_id="getKey",
        summary="Read a key",
        responses={200: CredentialOutput, **problems(404)},
    )
    def retrieve(self, request: Request, client_id: str) -> Response:
        """Answer one credential."""
        found = queries.credential(self.caller.organization_id, client_id, owned_by_id=self._owner_id)
        return Response(CredentialOutput(found).data)

    @extend_schema(
        operation_id="revokeKey",
        summary="Revoke a key",
        description="For good, and at once. Revoking again changes nothing.",
        responses={204: None, **problems(404)},
    )
    def destroy(self, request: Request, client_id: str) -> Response:
        """Revoke one credential."""
        services.revoke_credential(
            organization_id=self.caller.organization_id, client_id=client_id, owned_by_id=self._owner_id
        )
        return Response(status=204)

    @extend_schema(
        operation_id="rotateKey",
        summary="Rotate a key",
        description="A new secret, in this answer only; the old one stops working at once.",
        request=None,
        responses={200: IssuedCredentialOutput, **problems(404, 409)},
    )
    def rotate(self, request: Request, client_id: str) -> Response:
        """Give one credential a new secret and answer it."""
        issued = services.rotate_credential(
            organization_id=self.caller.organization_id,
            client_id=client_id,
            owned_by_id=self._owner_id,
            grantable=self._grantable,
        )
        return Response(_with_secret(issued))

    @property
    def _owner_id(self) -> int | None:
        return self.caller.user_id if self.caller.role == Role.DEVELOPER else None

    @property
    def _grantable(self) -> frozenset[str]:
        return grantable(self.caller.role, self.caller.scopes)


class AuditView(TenantAPIView):
    """Who changed what in the organization."""

    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": (*CURSOR_PARAMS, "kind")}

    def authorize(self) -> None:
        """Let owners and admins pass, and keys that may manage keys.

        Raises: `Problem` 403.
        """
        if self.caller.role is None:
            self.caller.require(Scope.KEYS_WRITE)
        elif not self.caller.is_manager:
            raise forbidden("Only owners and admins read the audit trail.", code="role_required")

    @extend_schema(
        operation_id="listAuditEntries",
        summary="Read the audit trail",
        description="Every change to the organization, its members, invitations and credentials.",
        parameters=[*CURSOR_PARAMETERS, KIND_PARAMETER],
        responses={200: AuditPageOutput, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of the trail."""
        kinds = self.params.choices("kind", sorted(KINDS))
        entries, cursor = audit_page(self.caller.organization_id, read_cursor_page(self.params), kinds=kinds)
        headers = {"Link": next_link(request, cursor)} if cursor else {}
        items = AuditEntryOutput(entries, many=True).data
        return Response({"items": items, "cursor": cursor}, headers=headers)


def _with_secret(issued: IssuedCredential) -> dict[str, Any]:
    return {**CredentialOutput(issued.credential).data, "apiKey": issued.key}
