"""`/invoices`: listed, and read as JSON or PDF."""

from typing import ClassVar, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.answers import invoices as answers
from billing.invoices import queries
from billing.invoices.document import MEDIA_TYPE, pdf
from billing.models import InvoiceKind, InvoiceState
from billing.serializers.invoices import InvoiceDocumentSerializer, InvoicePageSerializer
from core.paging import OFFSET_PARAMS, read_offset_page
from core.schema import OFFSET_PARAMETERS, parameter, problems
from organizations.http import TenantAPIView
from organizations.roles import Scope

_FILTERS: Final = ("state", "kind")


class InvoicesView(TenantAPIView):
    """The organization's invoices and credit notes."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": (*_FILTERS, *OFFSET_PARAMS)}

    @extend_schema(
        operation_id="listInvoices",
        summary="List invoices",
        description="Newest first, drafts before what was issued.",
        parameters=[
            parameter("state", "Only in this state.", enum=InvoiceState.values),
            parameter("kind", "Only of this kind.", enum=InvoiceKind.values),
            *OFFSET_PARAMETERS,
        ],
        responses={200: InvoicePageSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Answer a page of invoices."""
        page = read_offset_page(self.params)
        found, total = queries.invoices(
            self.caller.organization_id,
            state=self.params.choice("state", InvoiceState.values, "") or None,
            kind=self.params.choice("kind", InvoiceKind.values, "") or None,
            limit=page.limit,
            offset=page.offset,
        )
        return Response(
            {"invoices": [answers.summary(one) for one in found], "pagination": page.pagination(total)}
        )


class InvoiceView(TenantAPIView):
    """One invoice."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.BILLING_READ}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ()}

    @extend_schema(
        operation_id="getInvoice",
        summary="Read an invoice",
        description="JSON, or the document where `Accept` asks for application/pdf.",
        responses={
            (200, "application/json"): InvoiceDocumentSerializer,
            (200, MEDIA_TYPE): OpenApiTypes.BINARY,
            **problems(404),
        },
    )
    def get(self, request: Request, reference: str) -> HttpResponseBase:
        """Answer an invoice with its lines."""
        found = queries.document(self.caller.organization_id, reference)
        if MEDIA_TYPE in request.headers.get("Accept", ""):
            return as_pdf(found)
        return Response(answers.document(found), headers={"Vary": "Accept"})


def as_pdf(found: queries.Document) -> HttpResponse:
    """Return an invoice as a file that a browser shows."""
    name = f"{found.invoice.reference}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Vary": "Accept"}
    return HttpResponse(pdf(found), content_type=MEDIA_TYPE, headers=headers)
