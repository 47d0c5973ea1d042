"""The gate: as a share of a view that does nothing, and while its own organization ingests at full speed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from benchmarks import client
from benchmarks.figures import DURATION, SHARE, Figure, milliseconds, rate
from benchmarks.ingest.field import Field, open_field
from benchmarks.scale import Scale
from benchmarks.workload import Tenant

PATH: Final = "/api/v1/authorize"
REQUESTS: Final = 20_000
CLIENTS: Final = 8
WARM_UP: Final = 2_000
LEAST: Final = 0.3
BEYOND: Final = 0.5
BESIDE: Final = 2_000
SENDERS: Final = 4
BATCHES: Final = 150
BATCH: Final = 1000
P99_LEAST: Final = 0.100
P99_BEYOND: Final = 0.030
_HELD: Final = b'{"estimatedCost":"0.000001"}'
_FAR: Final = 9 * 10**18


def measure(scale: Scale) -> list[Figure]:
    """Return everything that is measured of the gate."""
    with open_field(scale) as field:
        limited = field.tenants
        _limit(field, limited)
        return [*_shares(field, limited), _beside_ingest(field, limited[0])]


def _shares(field: Field, tenants: Sequence[Tenant]) -> list[Figure]:
    kinds = {
        "an amount held, many organizations": _asks(field, tenants, _HELD),
        "an amount held, one organization": _asks(field, tenants[:1], _HELD),
        "nothing held": _asks(field, tenants, b"{}"),
    }
    shares: dict[str, list[float]] = {name: [] for name in kinds}
    behind: dict[str, str] = {}
    with field.ground.web("benchmarks.bare") as plain:
        nothing = [client.get("/nothing", tenants[0].key)] * field.scale.of(REQUESTS)
        client.drive(plain.port, nothing[: field.scale.of(WARM_UP) + CLIENTS], senders=CLIENTS)
        for requests in kinds.values():
            client.drive(field.web.port, requests[: field.scale.of(WARM_UP) + CLIENTS], senders=CLIENTS)
        for _ in range(field.scale.rounds):
            least = client.drive(plain.port, nothing, senders=CLIENTS)
            for name, requests in kinds.items():
                ours = client.drive(field.web.port, requests, senders=CLIENTS)
                shares[name].append(least.seconds / ours.seconds)
                behind[name] = (
                    f"{rate(len(requests), ours.seconds)} of {rate(len(nothing), least.seconds)}, "
                    f"p50 {milliseconds(ours.percentile(0.5))}, p99 {milliseconds(ours.percentile(0.99))}"
                )
    return [
        Figure(f"{name}: share of a view that does nothing", SHARE, tuple(found), LEAST, BEYOND, behind[name])
        for name, found in shares.items()
    ]


def _beside_ingest(field: Field, tenant: Tenant) -> Figure:
    """Ask, one call after the other on two connections, while the same organization's batches come in."""
    found, behind = [], ""
    for _ in range(field.scale.rounds):
        batches = field.workload.requests(field.scale.of(BATCHES) + SENDERS, BATCH, only=tenant)
        ingest = _Beside(field, batches)
        ingest.start()
        latencies: list[float] = []
        asks = _asks(field, [tenant], _HELD)[: max(20, field.scale.of(BESIDE) // 20)]
        while not latencies or ingest.is_alive():
            latencies += client.drive(field.web.port, asks, senders=2).latencies
        drive = ingest.result()
        asked = client.Drive(latencies=latencies)
        found.append(asked.percentile(0.99))
        behind = (
            f"p50 {milliseconds(asked.percentile(0.5))} of {len(latencies)} calls, "
            f"beside {rate(len(batches) * BATCH, drive.seconds)}"
        )
        field.settle()
    name = "p99 while its organization ingests, 4 senders, batches of 1000"
    return Figure(name, DURATION, tuple(found), P99_LEAST, P99_BEYOND, behind)


class _Beside(threading.Thread):
    """Ingest in the background."""

    def __init__(self, field: Field, batches: list[bytes]) -> None:
        super().__init__()
        self._field, self._batches = field, batches
        self._drive: client.Drive | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Send the batches."""
        try:
            self._drive = client.drive(self._field.web.port, self._batches, senders=SENDERS)
        except BaseException as error:  # noqa: BLE001 raised again by the measurement
            self._failure = error

    def result(self) -> client.Drive:
        """Return how it went, once it has ended."""
        self.join()
        if self._drive is None:
            raise RuntimeError("The batches were not taken in.") from self._failure
        return self._drive


def _asks(field: Field, tenants: Sequence[Tenant], body: bytes) -> list[bytes]:
    requests = [client.post(PATH, tenant.key, body) for tenant in tenants]
    number = field.scale.of(REQUESTS)
    return (requests * (number // len(requests) + 1))[:number]


def _limit(field: Field, tenants: Sequence[Tenant]) -> None:
    """Give every organization a limit that nothing reaches, and as many calls a minute as it likes."""
    from django.db import connections

    from billing.services.limits import Terms, set_limit
    from organizations.door import caller_from_key
    from organizations.tenancy import tenant_scope

    field.admin.execute("UPDATE organizations_organization SET requests_per_minute = 100000000")
    for tenant in tenants:
        caller: Any = caller_from_key(f"Bearer {tenant.key}")
        entitled = replace(caller, plan=replace(caller.plan, spend_limit=True))
        with tenant_scope(tenant.organization_id):
            set_limit(caller=entitled, credential_id=None, terms=Terms(_FAR))
    connections.close_all()
