"""The views of `bot.store.sqlite.views`, column for column, in PostgreSQL's words."""

from typing import Any

import psycopg

from bot.store.sqlite.views import THOUSANDTHS, WITHOUT

_SECONDS = "round(extract(epoch FROM {} - {})::numeric, 1)"
_WAITED = _SECONDS.format("decided_at", "created_at")
_VIEWS = {
    "approval_requests": f"""
        SELECT substr(id, 1, 8) AS reference, created_at AS asked_at, requester AS asked_by, tool, order_id, summary,
               status, decided_by, decided_at, {_WAITED} AS waited_seconds,
               finished_at, error, expires_at, channel, thread_ts, id, gate, confirmed_at, approvals_needed,
               first_approved_by, first_approved_at, escalated_at, decision_reason, failed_at AS failed_later_at,
               why AS failed_later_because
        FROM tool_calls LEFT JOIN refund_checks ON call_id = id WHERE gated""",
    "refund_requests": f"""
        WITH refunds AS (
            SELECT *, coalesce(json_extract(quote, '$.quote.balance.minor')::bigint,
                               round(json_extract(arguments, '$.amount')::numeric * 100)::bigint) AS amount_minor,
                   coalesce(json_extract(quote, '$.quote.balance.currency'), json_extract(arguments, '$.currency'),
                            'USD') AS currency
            FROM tool_calls WHERE gated)
        SELECT substr(id, 1, 8) AS reference, created_at AS asked_at, requester AS asked_by, order_id,
               (amount_minor * 1.0 / CASE WHEN currency IN ({WITHOUT}) THEN 1
                                          WHEN currency IN ({THOUSANDTHS}) THEN 1000 ELSE 100 END)::float8 AS amount,
               currency,
               coalesce(json_extract(quote, '$.change.reason'), json_extract(arguments, '$.reason')) AS reason,
               tool, status, decided_by, decided_at, {_WAITED} AS waited_seconds,
               finished_at, error, amount_minor, id, failed_at AS failed_later_at
        FROM refunds LEFT JOIN refund_checks ON call_id = id WHERE tool = 'initiate_refund' OR amount_minor > 0""",
    "runs": f"""
        SELECT i.id AS run, i.received_at, i."user" AS asked_by, i.status,
               {_SECONDS.format("i.finished_at", "i.received_at")} AS seconds,
               (SELECT count(*) FROM model_calls m WHERE m.run_id = i.id) AS model_calls,
               (SELECT count(*) FROM tool_calls t WHERE t.run_id = i.id) AS tool_calls,
               (SELECT sum(prompt_tokens) FROM model_calls m WHERE m.run_id = i.id) AS prompt_tokens,
               (SELECT sum(completion_tokens) FROM model_calls m WHERE m.run_id = i.id) AS completion_tokens,
               i.error, i.channel, i.thread_ts, substr(i.traceparent, 4, 32) AS trace_id
        FROM inbox i WHERE i.status != 'unclaimed'""",
    "tool_call_summary": """
        SELECT tool, count(*) AS calls, count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
               count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE status = 'rejected') AS rejected,
               count(*) FILTER (WHERE status IN ('pending', 'running', 'unknown')) AS open,
               round(avg(duration_ms)::numeric, 1) AS average_ms, max(duration_ms) AS slowest_ms,
               max(created_at) AS last_at
        FROM tool_calls GROUP BY tool ORDER BY calls DESC""",
    "daily_usage": """
        WITH m AS (SELECT (received_at AT TIME ZONE 'UTC')::date::text AS day, count(*) AS messages,
                          count(DISTINCT "user") AS people,
                          count(*) FILTER (WHERE status = 'failed') AS failed_messages
                   FROM inbox WHERE status != 'unclaimed' GROUP BY 1),
             t AS (SELECT (created_at AT TIME ZONE 'UTC')::date::text AS day, count(*) AS tool_calls,
                          count(*) FILTER (WHERE gated) AS requests,
                          count(*) FILTER (WHERE gated AND status = 'succeeded') AS requests_done
                   FROM tool_calls GROUP BY 1),
             c AS (SELECT (created_at AT TIME ZONE 'UTC')::date::text AS day, count(*) AS model_calls,
                          count(*) FILTER (WHERE status = 'failed') AS failed_model_calls,
                          sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
                          sum(completion_tokens) AS completion_tokens
                   FROM model_calls GROUP BY 1),
             d AS (SELECT day FROM m UNION SELECT day FROM t UNION SELECT day FROM c)
        SELECT d.day, coalesce(messages, 0) AS messages, coalesce(people, 0) AS people,
               coalesce(failed_messages, 0) AS failed_messages, coalesce(tool_calls, 0) AS tool_calls,
               coalesce(requests, 0) AS requests, coalesce(requests_done, 0) AS requests_done,
               coalesce(model_calls, 0) AS model_calls, coalesce(failed_model_calls, 0) AS failed_model_calls,
               coalesce(prompt_tokens, 0) AS prompt_tokens, coalesce(cached_tokens, 0) AS cached_tokens,
               coalesce(completion_tokens, 0) AS completion_tokens
        FROM d LEFT JOIN m USING (day) LEFT JOIN t USING (day) LEFT JOIN c USING (day) ORDER BY d.day DESC""",
    "slow_calls": """
        SELECT * FROM (
            SELECT duration_ms, 'tool' AS kind, tool AS name, status, created_at, substr(id, 1, 8) AS reference
            FROM tool_calls WHERE duration_ms IS NOT NULL
            UNION ALL
            SELECT duration_ms, 'model', model, status, created_at, substr(id, 1, 8)
            FROM model_calls WHERE duration_ms IS NOT NULL) AS calls
        ORDER BY duration_ms DESC LIMIT 100""",
    "failed_posts": """
        SELECT substr(id, 1, 8) AS reference, created_at, error, channel, thread_ts, attempts, text, call_id
        FROM outbox WHERE status = 'failed' ORDER BY seq DESC""",
}
NAMES = tuple(_VIEWS)


def create_views(connection: psycopg.Connection[Any]) -> None:
    """Create each view, in place of an older one of its name."""
    for name, select in _VIEWS.items():
        connection.execute(f"DROP VIEW IF EXISTS {name}".encode())
        connection.execute(f"CREATE VIEW {name} AS {select}".encode())
