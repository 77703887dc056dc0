"""The schema of the bot's own tables, forward only: what comes after the first migrations."""

from typing import cast

from sqlite_utils import Database

from bot.store.sqlite.first_migrations import bot_migrations
from bot.store.sqlite.transaction import SqliteTransaction
from bot.store.sqlite.views import create_views
from bot.store.tables.seals import seal_all

__all__ = ["bot_migrations"]


@bot_migrations()
def usage_of_people(db: Database) -> None:
    """Count what each person uses within an hour, and keep which bound they were told of."""
    db.execute("""
        CREATE TABLE usage (
            resource TEXT NOT NULL, key TEXT NOT NULL, user TEXT NOT NULL, amount INTEGER NOT NULL, at TEXT NOT NULL,
            PRIMARY KEY (resource, key)
        ) STRICT, WITHOUT ROWID""")
    db.execute("CREATE INDEX usage_of_person ON usage (user, resource, at)")
    db.execute("CREATE INDEX usage_by_age ON usage (at)")
    db.execute("""
        CREATE TABLE bounds_told (
            user TEXT NOT NULL, resource TEXT NOT NULL, until TEXT NOT NULL, PRIMARY KEY (user, resource)
        ) STRICT, WITHOUT ROWID""")


@bot_migrations()
def quotes(db: Database) -> None:
    """Freeze the quote that was shown in the row, and keep when a change was begun, looked for and reported."""
    for column in (
        "quote TEXT CHECK (quote IS NULL OR json_valid(quote))",
        "customer TEXT",
        "begun_at TEXT",
        "looks INTEGER NOT NULL DEFAULT 0",
        "look_at TEXT",
        "money_pending INTEGER NOT NULL DEFAULT 0",
        "reported_at TEXT",
    ):
        db.execute(f"ALTER TABLE tool_calls ADD COLUMN {column}")
    db.execute("ALTER TABLE tool_calls DROP COLUMN figures")
    db.execute("DROP INDEX tool_calls_one_pending_per_subject")
    db.execute("""
        CREATE UNIQUE INDEX tool_calls_one_pending_per_subject ON tool_calls (subject)
        WHERE status IN ('pending', 'running', 'unknown') AND NOT money_pending""")


@bot_migrations()
def what_people_send(db: Database) -> None:
    """Keep files and what a message answers to, and in which direct messages a conversation goes on."""
    db.execute("ALTER TABLE inbox ADD COLUMN files TEXT CHECK (files IS NULL OR json_valid(files))")
    db.execute("ALTER TABLE inbox ADD COLUMN context TEXT")
    db.execute("ALTER TABLE threads ADD COLUMN place TEXT")
    db.execute("""
        CREATE TABLE places (
            team TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL, thread TEXT NOT NULL,
            PRIMARY KEY (team, channel, ts)
        ) STRICT""")
    db.execute("CREATE INDEX places_of_thread ON places (thread)")
    db.execute("""
        CREATE TABLE relays (
            post_id TEXT PRIMARY KEY, thread TEXT NOT NULL, to_channel TEXT NOT NULL, ts TEXT
        ) STRICT""")
    db.execute("CREATE INDEX relays_of_thread ON relays (thread)")
    db.execute("CREATE INDEX relays_by_post ON relays (to_channel, ts)")


@bot_migrations()
def called_in(db: Database) -> None:
    """Keep which messages call the bot into a thread, where others may have spoken meanwhile."""
    db.execute("ALTER TABLE inbox ADD COLUMN called_in INTEGER NOT NULL DEFAULT 0")


@bot_migrations()
def two_keys(db: Database) -> None:
    """Add whose yes a request needs: that of who asked, of an approver, or of both."""
    db.execute("""
        ALTER TABLE tool_calls ADD COLUMN gate TEXT NOT NULL DEFAULT 'approver'
        CHECK (gate IN ('requester', 'approver', 'both'))""")
    db.execute("ALTER TABLE tool_calls ADD COLUMN confirmed_at TEXT")
    db.execute("DROP INDEX tool_calls_one_pending_per_subject")
    db.execute("""
        CREATE UNIQUE INDEX tool_calls_one_open_of_a_kind ON tool_calls (subject, tool)
        WHERE status IN ('pending', 'running', 'unknown') AND NOT money_pending""")


@bot_migrations()
def two_approvers(db: Database) -> None:
    """Add columns for requests that need two approvers, and that are passed on to the next group of them."""
    for column in (
        "approvals_needed INTEGER NOT NULL DEFAULT 1 CHECK (approvals_needed IN (0, 1, 2))",
        "first_approved_by TEXT",
        "first_approved_at TEXT",
        "escalated_at TEXT",
    ):
        db.execute(f"ALTER TABLE tool_calls ADD COLUMN {column}")
    db.execute("CREATE INDEX requests_of_customer ON tool_calls (customer, decided_at) WHERE gated")


@bot_migrations()
def decisions_in_words(db: Database) -> None:
    """Keep why somebody decided as they did, and what a request was changed to."""
    db.execute("ALTER TABLE tool_calls ADD COLUMN decision_reason TEXT")
    db.execute("ALTER TABLE tool_calls ADD COLUMN supersedes TEXT")
    # A check cannot be altered in place; this one only allows more, so that every row that is there still passes.
    db.execute("PRAGMA writable_schema = ON")
    db.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'refused_clicks'",
        ["('approve', 'cancel')", "('approve', 'cancel', 'decline', 'change')"],
    )
    db.execute("PRAGMA writable_schema = RESET")


@bot_migrations()
def runs_and_orders(db: Database) -> None:
    """Add to every call the run that it belongs to, and to a tool call its order."""
    for table in ("tool_calls", "model_calls"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN run_id INTEGER REFERENCES inbox(id) ON DELETE SET NULL")
        db.execute(f"CREATE INDEX {table}_of_run ON {table} (run_id) WHERE run_id IS NOT NULL")
    db.execute("ALTER TABLE tool_calls ADD COLUMN order_id TEXT")
    guard = "SELECT sql FROM sqlite_master WHERE name = 'tool_calls_no_update_when_final'"
    (no_update,) = db.execute(guard).fetchone()
    db.execute("DROP TRIGGER tool_calls_no_update_when_final")
    db.execute("""
        UPDATE tool_calls SET order_id = CAST(coalesce(
            arguments ->> '$.order_id',
            CASE WHEN subject LIKE 'order:%' THEN substr(subject, 7) END,
            CASE WHEN json_valid(arguments_sent) THEN arguments_sent ->> '$.order_id' END) AS TEXT)""")
    db.execute(no_update)
    db.execute("CREATE INDEX tool_calls_of_order ON tool_calls (order_id) WHERE order_id IS NOT NULL")


@bot_migrations()
def audit_and_seals(db: Database) -> None:
    """Keep what the operator did, and seal what is finished."""
    db.execute("""
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, subject TEXT, why TEXT
        ) STRICT""")
    db.execute("""
        CREATE TABLE sealed_calls (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('finished', 'erased', 'deleted')),
            salt TEXT, content TEXT NOT NULL, hash TEXT NOT NULL UNIQUE
        ) STRICT""")
    db.execute("CREATE INDEX sealed_calls_of_call ON sealed_calls (call_id, seq)")
    _count_seals(db)
    seal_all(cast("SqliteTransaction", db))


@bot_migrations()
def plain_views(db: Database) -> None:
    """Create the views that people query."""
    create_views(db)


@bot_migrations()
def what_one_person_sees(db: Database) -> None:
    """Add posts for one person's eyes, and what of a call only the one who asked is shown."""
    db.execute("ALTER TABLE outbox ADD COLUMN ephemeral_for TEXT")
    db.execute(
        "ALTER TABLE tool_calls ADD COLUMN private_card TEXT CHECK (private_card IS NULL OR json_valid(private_card))"
    )


@bot_migrations()
def forms(db: Database) -> None:
    """Keep what somebody asked for by a form."""
    db.execute("ALTER TABLE inbox ADD COLUMN form TEXT CHECK (form IS NULL OR json_valid(form))")


@bot_migrations()
def stops(db: Database) -> None:
    """Keep when a person last stopped the bot in a thread."""
    db.execute("ALTER TABLE threads ADD COLUMN stopped_at TEXT")


@bot_migrations()
def ratings(db: Database) -> None:
    """Keep what people say that answers were worth."""
    db.execute("""
        CREATE TABLE ratings (
            thread TEXT NOT NULL, post_id TEXT NOT NULL, user TEXT NOT NULL,
            worth TEXT NOT NULL CHECK (worth IN ('good', 'bad')), reason TEXT, at TEXT NOT NULL,
            PRIMARY KEY (post_id, user)
        ) STRICT""")
    db.execute("CREATE INDEX ratings_of_thread ON ratings (thread)")


@bot_migrations()
def several_machines(db: Database) -> None:
    """Tell one lease of a thread from the next, keep Slack's pace, and count the chain's entries."""
    db.execute("ALTER TABLE threads ADD COLUMN fence INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE relays ADD COLUMN at TEXT")
    db.execute("CREATE TABLE channels (channel TEXT PRIMARY KEY, free_at TEXT NOT NULL) STRICT")
    _count_seals(db)


@bot_migrations()
def traces(db: Database) -> None:
    """Keep in which trace a message is answered, a call was asked for and a post was written."""
    for table in ("inbox", "tool_calls", "outbox"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN traceparent TEXT")


@bot_migrations()
def views_of_two_approvers(db: Database) -> None:
    """Show in the views whose yes a request needs and has."""
    create_views(db)


@bot_migrations()
def views_of_decisions(db: Database) -> None:
    """Show in the views why somebody decided as they did."""
    create_views(db)


@bot_migrations()
def look_ups(db: Database) -> None:
    """Allow calls without a message: what a person has looked up without the model; and find the latest calls fast."""
    # It cannot be altered in place that something must be there; this only allows more, so every row still passes.
    db.execute("PRAGMA writable_schema = ON")
    db.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'tool_calls'",
        ["message_id INTEGER NOT NULL REFERENCES", "message_id INTEGER REFERENCES"],
    )
    db.execute("PRAGMA writable_schema = RESET")
    db.execute("CREATE INDEX tool_calls_by_time ON tool_calls (created_at)")
    db.execute("CREATE INDEX look_ups_of_person ON tool_calls (requester, created_at) WHERE message_id IS NULL")


@bot_migrations()
def timelines(db: Database) -> None:
    """Keep which message shows what is done in a thread."""
    db.execute("ALTER TABLE threads ADD COLUMN timeline_ts TEXT")


@bot_migrations()
def drafts(db: Database) -> None:
    """Keep which message shows an answer that is being written, and that the answer is to be drawn over it."""
    db.execute("ALTER TABLE threads ADD COLUMN draft_ts TEXT")
    db.execute("ALTER TABLE outbox ADD COLUMN draft_ts TEXT")


@bot_migrations()
def refunds_that_fail_later(db: Database) -> None:
    """Keep which refunds are looked at once more after they were made, and which have failed since."""
    db.execute("""
        CREATE TABLE refund_checks (
            call_id TEXT PRIMARY KEY, look_at TEXT, failed_at TEXT, why TEXT, note TEXT
        ) STRICT""")
    db.execute("CREATE INDEX refund_checks_due ON refund_checks (look_at) WHERE look_at IS NOT NULL")
    create_views(db)


def _count_seals(db: Database) -> None:
    """Count the entries of the chain that there ever were, unless they are counted already."""
    if db["seal_chain"].exists():
        return
    db.execute("CREATE TABLE seal_chain (entries INTEGER NOT NULL) STRICT")
    db.execute("INSERT INTO seal_chain SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'sealed_calls'")
