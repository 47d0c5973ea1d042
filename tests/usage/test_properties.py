"""Whatever comes in and in whatever order, whatever is folded or rebuilt: the totals are the model's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from core.periods import Period
from organizations.models import Organization, Plan
from organizations.services import create_credential
from organizations.tenancy import Caller, PlanTerms, system_scope, tenant_scope
from tests.usage.model import NANOS, Model, nearest_rank
from tests.usage.worlds import HISTORY, WORLDS, World, moments, worlds, zones
from usage import partitions
from usage.adjustments import Adjustment, adjust
from usage.batch import Batch
from usage.complete import record_key
from usage.dialects.decode import decode
from usage.pipeline import ingest
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import ALL_SUMS, RollupQuery, add_up
from usage.queries.totals import Subject, daily, totals
from usage.rollups.fold import fold_pending
from usage.rollups.latency import percentiles_ms
from usage.rollups.rebuild import move_days, rebuild, stretches
from usage.rollups.verify import verify

TERMS = PlanTerms("enterprise", "Enterprise", None, True, 60_000, False, True, True)

tokens = st.fixed_dictionaries(
    {"prompt": st.integers(0, 500), "completion": st.integers(0, 500)},
    optional={"cachedPrompt": st.just(0), "reasoning": st.just(0), "total": st.integers(1000, 1100)},
)
amounts = st.integers(0, 5) | st.sampled_from(["0.1", "1.5", "0.000000001"])
few = st.sampled_from(["a", "b"])
contents = st.fixed_dictionaries(
    {"type": st.sampled_from(["conversation.completion", "task.execution"])},
    optional={
        "tokens": tokens,
        "count": st.integers(0, 9),
        "status": st.sampled_from(["success", "error"]),
        "statusCode": st.sampled_from([200, 429]),
        "errorType": few,
        "model": few,
        "provider": few,
        "endpoint": few,
        "capability": few,
        "latencyMs": st.floats(0.1, 60_000).map(lambda number: round(number, 3)),
        "cost": st.sampled_from(["0", "0.000000001", "1.25"]),
        "executionId": few,
        "quantities": st.dictionaries(st.sampled_from(["pages", "credits"]), amounts, max_size=2),
    },
)
ids = st.integers(0, 40).map(lambda number: f"r{number}")
facets = st.lists(st.sampled_from(list(Facet)), max_size=3, unique=True)


class Usage(RuleBasedStateMachine):
    """One organization in one zone, beside its model; everything is undone at the end."""

    @initialize(data=st.data(), world=worlds)
    def begin(self, data: st.DataObject, world: World) -> None:
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.clock = time_machine.travel(world.now, tick=False)
        self.clock.start()
        self.world, self.model = world, Model()
        self.moments = moments(world)
        self.sent: list[list[dict[str, Any]]] = []
        self.callers = self._organization(data.draw(st.sampled_from([world.zone, "UTC"])))
        self.send(data)

    def _organization(self, rollup_timezone: str) -> dict[str, Caller]:
        with system_scope():
            self.organization = Organization.objects.create(
                name="Model",
                slug="model",
                plan=Plan.objects.get(slug="enterprise"),
                timezone=self.world.zone,
                rollup_timezone=rollup_timezone,
            )
        callers = {}
        for name in ("first", "second"):
            credential = create_credential(
                organization_id=self.organization.pk, name=name, scopes=["usage:write"]
            ).credential
            callers[credential.client_id] = Caller(
                self.organization.pk, "model", "Model", self.world.zone, rollup_timezone, "USD", TERMS,
                credential.pk, credential.client_id, None, None, frozenset({"usage:write"}),
            )  # fmt: skip
        return callers

    def teardown(self) -> None:
        if not hasattr(self, "undo"):
            return
        try:
            assert list(verify(self.organization)) == []
            self._compare(self.world.first, self.world.now + timedelta(hours=1), None)
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            self.clock.stop()

    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        """A batch arrives, with ids that may be known, or twice in it."""
        record = st.builds(
            lambda content, name, moment: {**content, "id": name, "timestamp": moment.isoformat()},
            contents,
            ids,
            self.moments,
        )
        self._send(data, data.draw(st.lists(record, min_size=1, max_size=8)))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """An earlier batch arrives again, in another order, some of it dated anew."""
        batch = data.draw(st.permutations(data.draw(st.sampled_from(self.sent))))
        if data.draw(st.booleans()):
            batch = [{**batch[0], "timestamp": data.draw(self.moments).isoformat()}, *batch[1:]]
        self._send(data, list(batch))

    def _send(self, data: st.DataObject, batch: list[dict[str, Any]]) -> None:
        client = data.draw(st.sampled_from(sorted(self.callers)))
        self.sent.append(batch)
        decoded = decode("application/json", {}, json.dumps(batch).encode())
        outcome = ingest(
            Batch(self.callers[client], self.world.now, self.world.first, decoded.records, decoded.errors)
        )
        new, known = self.model.send(batch, client)
        assert outcome.as_dict() == {"accepted": new, "duplicates": known, "rejected": 0, "errors": []}

    @rule(chunk=st.sampled_from([1, 3, 1000]), most=st.sampled_from([1, 50]))
    def fold(self, chunk: int, most: int) -> None:
        fold_pending(chunk=chunk, most=most)

    @precondition(lambda self: self.model.facts)
    @rule(data=st.data())
    def adjust(self, data: st.DataObject) -> None:
        """Some records are given a cost, among them those that have one, some twice at once."""
        names = data.draw(st.lists(st.sampled_from(sorted(self.model.facts)), min_size=1, max_size=6))
        costs = {name: data.draw(st.sampled_from(["0", "0.000000001", "2.5"])) for name in names}
        wanted = [
            Adjustment(
                UUID(hex=record_key(self.organization.pk, name)),
                self.model.facts[name].at,
                int(Decimal(costs[name]) * NANOS),
            )
            for name in names
        ]
        adjusted = adjust(self.organization.pk, wanted)
        assert len(adjusted) == sum(self.model.adjust(name, cost) for name, cost in costs.items())

    @rule(data=st.data())
    def rebuild(self, data: st.DataObject) -> None:
        for stretch in stretches(self.organization, self._window(data)):
            rebuild(stretch)

    @rule(zone=zones)
    def move_days(self, zone: str) -> None:
        move_days(self.organization, zone)

    @rule(data=st.data())
    def ask_for_totals(self, data: st.DataObject) -> None:
        window = self._window(data)
        self._compare(window.start, window.end, data.draw(st.sampled_from([None, *sorted(self.callers)])))

    @rule(data=st.data(), zone=zones)
    def ask_for_days(self, data: st.DataObject, zone: str) -> None:
        client = data.draw(st.sampled_from([None, *sorted(self.callers)]))
        expected = self.model.days(World(zone, self.world.now).tz, client)
        with tenant_scope(self.organization.pk):
            # Where the clock was set forward meanwhile, the history touches a day more.
            found = daily(
                self._subject(client), HISTORY.days + 2, self.world.now, zone, since=self.world.first
            )
        tz = World(zone, self.world.now).tz
        days = [start.astimezone(tz).date() for start, _ in found]
        assert days == sorted(set(days))
        assert days[-1] == self.world.now.astimezone(tz).date()
        assert {(start.astimezone(tz).date(),): (g.sums, g.meters) for start, g in found if g} == expected

    @rule(data=st.data(), chosen=facets)
    def ask_for_groups(self, data: st.DataObject, chosen: list[Facet]) -> None:
        window = self._window(data)
        inner = data.draw(st.lists(self.moments, max_size=4))
        starts = sorted({window.start, *(each for each in inner if each in window)})
        query = RollupQuery(
            self.organization.pk,
            self.organization.rollup_timezone,
            window,
            Buckets(starts[0], len(starts), tuple(starts)),
            meters=True,
            group_by=tuple(chosen),
        )
        with tenant_scope(self.organization.pk):
            groups = add_up(query)
        client_ids = {caller.credential_id: name for name, caller in self.callers.items()}
        found = {
            (group.bucket, *(client_ids.get(value, value) for value in group.values)): (
                group.sums,
                group.meters,
            )
            for group in groups
        }
        assert found == self.model.groups(starts, window.end, chosen)

    @rule(data=st.data())
    def ask_for_percentiles(self, data: st.DataObject) -> None:
        window = self._window(data)
        query = RollupQuery(
            self.organization.pk,
            self.organization.rollup_timezone,
            window,
            sums=("requests", "latency_histogram"),
        )
        with tenant_scope(self.organization.pk):
            groups = add_up(query)
        histogram = groups[0].sums["latency_histogram"] if groups else 0
        rising = self.model.latencies_ms(window.start, window.end)
        for rank, found in zip((0.5, 0.95), percentiles_ms(histogram, (0.5, 0.95)), strict=True):
            exact = nearest_rank(rising, rank) if rising else None
            assert (
                found == exact
                if found is None or exact is None
                else abs(found - exact) <= 0.06 * exact + 0.0015
            )

    @invariant()
    def nothing_is_lost_or_counted_twice(self) -> None:
        if hasattr(self, "undo"):
            with tenant_scope(self.organization.pk), connection.cursor() as cursor:
                cursor.execute("SELECT count(*), count(DISTINCT key) FROM usage_record")
                assert cursor.fetchone() == (len(self.model.facts), len(self.model.facts))

    def _compare(self, start: datetime, end: datetime, client: str | None) -> None:
        with tenant_scope(self.organization.pk):
            found = totals(self._subject(client), Period(start, end), self.world.now)
        measures, meters = self.model.totals(start, end, client)
        assert {name: getattr(found, name) for name in ALL_SUMS} == {
            name: measures.get(name, 0) for name in ALL_SUMS
        }
        assert found.meters == meters

    def _subject(self, client: str | None) -> Subject:
        # The zone as a caller may still have it who came before the days moved.
        stale = self.organization.timezone
        return Subject(
            self.organization.pk, stale, None if client is None else self.callers[client].credential_id
        )

    def _window(self, data: st.DataObject) -> Period:
        bounds = sorted((data.draw(self.moments), data.draw(self.moments)))
        return Period(bounds[0], bounds[1] + timedelta(microseconds=data.draw(st.integers(1, 3))))


@pytest.mark.timeout(400)
@pytest.mark.django_db
def test_any_sequence_of_batches_and_folds_gives_the_totals_of_a_plain_model() -> None:
    # The partitions stay while each example is undone: making them would take most of the time.
    for world in {
        world.now: world for world in (*WORLDS, World("UTC", datetime.fromisoformat("2026-04-10T13Z")))
    }:
        days = (world - timedelta(days=number) for number in range(HISTORY.days + 2))
        partitions.ensure(partitions.numbers_of(days))
    run_machine(
        Usage,
        settings=settings(
            max_examples=30,
            stateful_step_count=15,
            deadline=None,
            # A sequence is short enough to read as it was found; making it shorter takes minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
