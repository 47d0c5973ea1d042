import django.db.models.deletion
from django.db import migrations, models

import core.clock
from billing import sql
from organizations.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_prices"),
        ("organizations", "0006_plan_overage"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "Invoice"), ("creditNote", "Credit note")],
                        default="invoice",
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("issued", "Issued")], default="draft", max_length=6
                    ),
                ),
                ("number", models.CharField(max_length=80, null=True, unique=True)),
                ("year", models.PositiveSmallIntegerField(null=True)),
                ("sequence", models.PositiveIntegerField(null=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("timezone", models.CharField(max_length=64)),
                (
                    "edition",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="Counts the invoices of a period, of which one at most is not credited.",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("minor_places", models.PositiveSmallIntegerField()),
                ("lines_nanos", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("unpriced_records", models.BigIntegerField(default=0)),
                ("issuer", models.JSONField()),
                ("recipient", models.CharField(max_length=200)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(default=core.clock.now)),
                ("calculated_at", models.DateTimeField(default=core.clock.now)),
                ("issued_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "credits",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_note",
                        to="billing.invoice",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization", "-period_start", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "invoice")),
                        fields=("organization", "period_start", "edition"),
                        name="invoice_edition_once",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "year", "sequence"), name="invoice_sequence_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invoice", "creditNote"])), name="invoice_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "issued"])), name="invoice_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period_end__gt", models.F("period_start"))),
                        name="invoice_period_ordered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("due_at", None),
                                ("issued_at", None),
                                ("number", None),
                                ("sequence", None),
                                ("state", "draft"),
                                ("year", None),
                            ),
                            models.Q(
                                ("issued_at__isnull", False),
                                ("number__isnull", False),
                                ("sequence__isnull", False),
                                ("state", "issued"),
                                ("year__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_issued_is_numbered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credits__isnull", False), ("kind", "creditNote")),
                            models.Q(("credits", None), ("kind", "invoice")),
                            _connector="OR",
                        ),
                        name="invoice_credit_note_credits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                (
                    "basis",
                    models.CharField(
                        choices=[("rated", "Rated"), ("reported", "Reported"), ("whole", "Rated as a whole")],
                        max_length=8,
                    ),
                ),
                ("provider", models.CharField(blank=True, max_length=200)),
                ("model", models.CharField(blank=True, max_length=200)),
                ("tier", models.CharField(blank=True, max_length=8)),
                ("meter", models.CharField(max_length=200)),
                ("above", models.BigIntegerField(default=0)),
                ("price_id", models.BigIntegerField(null=True)),
                ("discount_bp", models.PositiveSmallIntegerField(default=0)),
                ("rate_nanos", models.BigIntegerField(null=True)),
                ("per", models.BigIntegerField(null=True)),
                ("quantity", models.DecimalField(decimal_places=9, max_digits=38)),
                ("cost_nanos", models.BigIntegerField()),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="billing.invoice",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("invoice", "position"),
                "indexes": [models.Index(fields=["organization", "period_start"], name="invoice_line_month")],
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "position"), name="invoice_line_position"),
                    models.CheckConstraint(
                        condition=models.Q(("basis__in", ["rated", "reported", "whole"])),
                        name="invoice_line_basis",
                    ),
                ],
            },
        ),
        TenantTable("billing_invoice"),
        TenantTable("billing_invoiceline"),
        migrations.RunSQL(sql.read("invoices")),
    ]
