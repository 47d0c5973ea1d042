"""What `/keys` and `/audit` read and write; one serializer per direction."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.serializers import CamelSerializer, MomentField, StrictSerializer, TextField
from organizations.audit import KINDS
from organizations.roles import ALL_SCOPES


class CredentialInput(StrictSerializer):
    """What a new credential is made of."""

    name = TextField(max_length=100, help_text="What it is for.")
    environment = TextField(max_length=40, default="production")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ALL_SCOPES), min_length=1, max_length=len(ALL_SCOPES)
    )


class CredentialOutput(CamelSerializer):
    """A credential as its organization sees it: never its secret."""

    client_id = serializers.CharField()
    name = serializers.CharField()
    environment = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ALL_SCOPES))
    key_hint = serializers.CharField(help_text="The secret's last four characters.")
    created_by = serializers.EmailField(source="created_by.email", allow_null=True)
    created_at = MomentField()
    last_used_at = MomentField(allow_null=True)
    rotated_at = MomentField(allow_null=True)
    revoked_at = MomentField(allow_null=True)


class IssuedCredentialOutput(CredentialOutput):
    """A credential at its creation or rotation, with the secret that is shown this once."""

    api_key = serializers.CharField(help_text="The secret, shown this once.")


class PaginationOutput(CamelSerializer):
    """Where an offset page is in the whole."""

    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    has_more = serializers.BooleanField()


@extend_schema_serializer(many=False)
class CredentialPageOutput(CamelSerializer):
    """A page of credentials."""

    items = CredentialOutput(many=True)
    pagination = PaginationOutput()


class AuditActorOutput(CamelSerializer):
    """Who made a change."""

    kind = serializers.ChoiceField(choices=["user", "credential", "system"])
    user = serializers.CharField(allow_null=True)
    client_id = serializers.CharField(allow_null=True)
    job = serializers.CharField(allow_null=True)


class AuditChangeOutput(CamelSerializer):
    """One field's value before and after."""

    field = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


class AuditEntryOutput(CamelSerializer):
    """One change of one object."""

    id = serializers.IntegerField()
    at = MomentField()
    kind = serializers.ChoiceField(choices=sorted(KINDS))
    action = serializers.ChoiceField(choices=["created", "updated", "deleted"])
    subject = serializers.CharField(help_text="Client ID, slug or e-mail address of what was changed.")
    actor = AuditActorOutput()
    changes = AuditChangeOutput(many=True)


@extend_schema_serializer(many=False)
class AuditPageOutput(CamelSerializer):
    """A page of the audit trail."""

    items = AuditEntryOutput(many=True)
    cursor = serializers.CharField(allow_null=True)
