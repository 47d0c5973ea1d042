"""The least that a Django view can do to keep a record, which batches of one are held against.

No middleware, no authentication, no validation, no tenant: one row of one table a request, on a persistent
connection of the application's role, under the same server with as many processes and threads.
"""

TABLE = "bench_bare_record"
DEFINITION = f"""
CREATE TABLE {TABLE} (
    id text PRIMARY KEY, type text NOT NULL, occurred_at timestamptz NOT NULL, endpoint text, capability text,
    model text, provider text, status text, status_code smallint, latency_ms double precision,
    prompt_tokens bigint, completion_tokens bigint, conversation_id text, bot_id text,
    quantities jsonb, meta jsonb
)"""
