"""The schema of the bot's own tables, forward only."""

from typing import cast

from sqlite_utils import Database, Migrations

from bot.store.sqlite.transaction import SqliteTransaction
from bot.store.sqlite.views import create_views
from bot.store.tables.seals import seal_all

bot_migrations = Migrations("bot")
_OF_THREADS = ("inbox", "messages", "tool_calls", "model_calls")


@bot_migrations()
def threads_and_messages(db: Database) -> None:
    """Create what a conversation is made of."""
    db.execute("""
        CREATE TABLE threads (
            team TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL, started_by TEXT NOT NULL,
            created_at TEXT NOT NULL,
            PRIMARY KEY (team, channel, ts)
        ) STRICT""")
    db.execute("""
        CREATE TABLE inbox (
            id INTEGER PRIMARY KEY,
            team TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL, thread_ts TEXT NOT NULL,
            user TEXT NOT NULL, user_team TEXT NOT NULL, shared INTEGER NOT NULL, text TEXT NOT NULL,
            status TEXT NOT NULL DEFAULT 'waiting'
                CHECK (status IN ('unclaimed', 'waiting', 'running', 'done', 'failed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            received_at TEXT NOT NULL, finished_at TEXT, changed_at TEXT, error TEXT,
            UNIQUE (team, channel, ts)
        ) STRICT""")
    db.execute("""
        CREATE INDEX inbox_open ON inbox (team, channel, thread_ts, ts) WHERE status IN ('waiting', 'running')""")
    db.execute("CREATE INDEX inbox_unclaimed ON inbox (received_at) WHERE status = 'unclaimed'")
    db.execute("""
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY,
            team TEXT NOT NULL, channel TEXT NOT NULL, thread_ts TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
            item TEXT NOT NULL CHECK (json_valid(item)),
            inbox_id INTEGER UNIQUE REFERENCES inbox(id),
            call_id TEXT UNIQUE,
            created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX messages_of_thread ON messages (team, channel, thread_ts, id)")


@bot_migrations()
def calls(db: Database) -> None:
    """Create the log of what the model asked for and of what it cost to ask the model."""
    db.execute("""
        CREATE TABLE tool_calls (
            id TEXT PRIMARY KEY,
            team TEXT NOT NULL, channel TEXT NOT NULL, thread_ts TEXT NOT NULL,
            tool TEXT NOT NULL, status TEXT NOT NULL, requester TEXT NOT NULL,
            arguments_sent TEXT NOT NULL,
            arguments TEXT CHECK (arguments IS NULL OR json_valid(arguments)),
            output TEXT CHECK (output IS NULL OR json_valid(output)),
            error TEXT,
            gated INTEGER NOT NULL, subject TEXT, summary TEXT,
            card TEXT NOT NULL CHECK (json_valid(card)),
            decided_by TEXT, decided_at TEXT, expires_at TEXT,
            created_at TEXT NOT NULL, finished_at TEXT, duration_ms REAL,
            message_id INTEGER NOT NULL REFERENCES messages(id), position INTEGER NOT NULL, tool_call_id TEXT NOT NULL,
            UNIQUE (message_id, position),
            CHECK (status IN ('proposed', 'pending', 'running', 'succeeded', 'failed', 'rejected', 'cancelled',
                              'expired', 'unknown')),
            CHECK (status != 'pending' OR (gated AND arguments IS NOT NULL AND expires_at IS NOT NULL)),
            CHECK (NOT gated OR status NOT IN ('running', 'succeeded', 'unknown') OR decided_by IS NOT NULL)
        ) STRICT""")
    db.execute("CREATE INDEX tool_calls_of_thread ON tool_calls (team, channel, thread_ts)")
    db.execute("""
        CREATE INDEX tool_calls_open ON tool_calls (expires_at)
        WHERE gated AND status IN ('pending', 'running', 'unknown')""")
    db.execute("""
        CREATE UNIQUE INDEX one_open_call_a_subject ON tool_calls (subject)
        WHERE status IN ('pending', 'running', 'unknown')""")
    db.execute("""
        CREATE TRIGGER finished_calls_stay BEFORE UPDATE ON tool_calls
        WHEN OLD.status IN ('succeeded', 'failed', 'rejected', 'cancelled', 'expired')
        BEGIN SELECT RAISE(ABORT, 'a finished tool call does not change'); END""")
    db.execute("""
        CREATE TRIGGER finished_calls_remain BEFORE DELETE ON tool_calls
        WHEN OLD.status IN ('succeeded', 'failed', 'rejected', 'cancelled', 'expired')
        BEGIN SELECT RAISE(ABORT, 'a finished tool call is not deleted'); END""")
    db.execute("""
        CREATE TABLE model_calls (
            id TEXT PRIMARY KEY,
            team TEXT NOT NULL, channel TEXT NOT NULL, thread_ts TEXT NOT NULL,
            model TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
            finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, cached_tokens INTEGER,
            request_id TEXT, error TEXT,
            created_at TEXT NOT NULL, finished_at TEXT, duration_ms REAL
        ) STRICT""")
    db.execute("CREATE INDEX model_calls_of_thread ON model_calls (team, channel, thread_ts)")


@bot_migrations()
def outbox(db: Database) -> None:
    """Create what is still to be said, and where what was said stands."""
    db.execute("""
        CREATE TABLE outbox (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            team TEXT NOT NULL, channel TEXT NOT NULL, thread_ts TEXT,
            text TEXT NOT NULL, blocks TEXT NOT NULL CHECK (json_valid(blocks)),
            call_id TEXT REFERENCES tool_calls(id), replaces TEXT REFERENCES outbox(id),
            status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'failed')),
            ts TEXT, attempts INTEGER NOT NULL DEFAULT 0, error TEXT,
            created_at TEXT NOT NULL, sent_at TEXT
        ) STRICT""")
    db.execute("CREATE INDEX outbox_waiting ON outbox (channel, seq) WHERE status = 'waiting'")
    db.execute("CREATE INDEX outbox_of_call ON outbox (call_id) WHERE call_id IS NOT NULL")


@bot_migrations()
def intents_and_hand_overs(db: Database) -> None:
    """Add to a thread what its customer wants and whether people took it over, and count requests by person."""
    db.execute("ALTER TABLE threads ADD COLUMN intent TEXT CHECK (intent IS NULL OR json_valid(intent))")
    db.execute("ALTER TABLE threads ADD COLUMN handed_over_at TEXT")
    db.execute("ALTER TABLE model_calls ADD COLUMN purpose TEXT NOT NULL DEFAULT 'turn'")
    db.execute("CREATE INDEX requests_of_person ON tool_calls (requester, tool, created_at) WHERE gated")


@bot_migrations()
def several_processes(db: Database) -> None:
    """Mark what a process has in its hands, so that another leaves it alone, or takes it over when that one died."""
    db.execute("CREATE TABLE processes (id TEXT PRIMARY KEY, seen_at TEXT NOT NULL) STRICT")
    db.execute("ALTER TABLE threads ADD COLUMN owner TEXT")
    db.execute("ALTER TABLE outbox ADD COLUMN sender TEXT")


@bot_migrations()
def reminders_and_pauses(db: Database) -> None:
    """Add reminders of requests, and the switch that pauses approvals."""
    db.execute("CREATE TABLE switches (name TEXT PRIMARY KEY, set_at TEXT NOT NULL) STRICT")
    db.execute("ALTER TABLE tool_calls ADD COLUMN reminded_at TEXT")
    db.execute("ALTER TABLE tool_calls ADD COLUMN shown_paused INTEGER NOT NULL DEFAULT 0")


@bot_migrations()
def refused_clicks(db: Database) -> None:
    """Keep who pressed a button in vain, and what they were told."""
    db.execute("""
        CREATE TABLE refused_clicks (
            id INTEGER PRIMARY KEY, call_id TEXT NOT NULL, user TEXT NOT NULL, team TEXT NOT NULL,
            decision TEXT NOT NULL CHECK (decision IN ('approve', 'cancel')), told TEXT NOT NULL, at TEXT NOT NULL
        ) STRICT""")


@bot_migrations()
def shown_and_decidable(db: Database) -> None:
    """Keep which figures a card showed, and on which card a request can be decided, apart from how a card looks."""
    db.execute("ALTER TABLE tool_calls ADD COLUMN figures TEXT CHECK (figures IS NULL OR json_valid(figures))")
    db.execute("ALTER TABLE outbox ADD COLUMN decidable INTEGER NOT NULL DEFAULT 0")
    db.execute("""UPDATE outbox SET decidable = 1 WHERE instr(blocks, '"approve_call"')""")


@bot_migrations()
def standard_names(db: Database) -> None:
    """Name the guards of the log for what they do."""
    for old in ("finished_calls_stay", "finished_calls_remain"):
        db.execute(f"DROP TRIGGER {old}")
    db.execute("DROP INDEX one_open_call_a_subject")
    db.execute("""
        CREATE UNIQUE INDEX tool_calls_one_pending_per_subject ON tool_calls (subject)
        WHERE status IN ('pending', 'running', 'unknown')""")
    final = "OLD.status IN ('succeeded', 'failed', 'rejected', 'cancelled', 'expired')"
    db.execute(f"""
        CREATE TRIGGER tool_calls_no_update_when_final BEFORE UPDATE ON tool_calls
        WHEN {final} BEGIN SELECT RAISE(ABORT, 'a finished tool call does not change'); END""")
    db.execute(f"""
        CREATE TRIGGER tool_calls_no_delete_when_final BEFORE DELETE ON tool_calls
        WHEN {final} BEGIN SELECT RAISE(ABORT, 'a finished tool call is not deleted'); END""")


@bot_migrations()
def results_and_chat_messages(db: Database) -> None:
    """Name what a tool returned its result, and what the model reads a message."""
    db.execute("ALTER TABLE tool_calls RENAME COLUMN output TO result")
    db.execute("ALTER TABLE messages RENAME COLUMN item TO message")


@bot_migrations()
def escalations_of_a_person(db: Database) -> None:
    """Keep for whom people took a thread over: it is no reason to be quiet to the one who began it."""
    db.execute("ALTER TABLE threads ADD COLUMN handed_over_by TEXT")


@bot_migrations()
def declined_requests(db: Database) -> None:
    """Tell an approver's no from a request that was withdrawn."""
    # A check cannot be altered in place; this one only allows more, so that every row that is there still passes.
    db.execute("PRAGMA writable_schema = ON")
    db.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'tool_calls'",
        ["'cancelled',", "'cancelled', 'declined',"],
    )
    db.execute("PRAGMA writable_schema = RESET")
    final = "OLD.status IN ('succeeded', 'failed', 'rejected', 'cancelled', 'declined', 'expired')"
    for event, what in (("UPDATE", "does not change"), ("DELETE", "is not deleted")):
        name = f"tool_calls_no_{event.lower()}_when_final"
        db.execute(f"DROP TRIGGER {name}")
        db.execute(f"""
            CREATE TRIGGER {name} BEFORE {event} ON tool_calls
            WHEN {final} BEGIN SELECT RAISE(ABORT, 'a finished tool call {what}'); END""")


@bot_migrations()
def one_post_for_the_team(db: Database) -> None:
    """Keep what the team was told of a thread last, and because of which message."""
    db.execute("ALTER TABLE threads ADD COLUMN team_post TEXT")
    db.execute("ALTER TABLE threads ADD COLUMN team_post_about INTEGER")


@bot_migrations()
def one_key_a_thread(db: Database) -> None:
    """Name a thread by one column, know what a post is about, and which messages were erased."""
    for table, ts in (("threads", "ts"), *((one, "thread_ts") for one in _OF_THREADS)):
        db.execute(f"""
            ALTER TABLE {table}
            ADD COLUMN thread TEXT GENERATED ALWAYS AS (team || '/' || channel || '/' || {ts}) VIRTUAL""")
    db.execute("CREATE UNIQUE INDEX threads_by_key ON threads (thread)")
    db.execute("DROP INDEX inbox_open")
    db.execute("CREATE INDEX inbox_open ON inbox (thread, ts) WHERE status IN ('waiting', 'running')")
    db.execute("CREATE INDEX inbox_of_thread ON inbox (thread)")
    for table, columns in (("messages", "thread, id"), ("tool_calls", "thread"), ("model_calls", "thread")):
        db.execute(f"DROP INDEX {table}_of_thread")
        db.execute(f"CREATE INDEX {table}_of_thread ON {table} ({columns})")
    db.execute("ALTER TABLE outbox ADD COLUMN about TEXT")
    db.execute("UPDATE outbox SET about = team || '/' || channel || '/' || thread_ts WHERE thread_ts IS NOT NULL")
    db.execute("""
        WITH cards AS MATERIALIZED (
            SELECT o.team, o.channel, o.ts, c.thread FROM outbox o JOIN tool_calls c ON c.id = o.call_id)
        UPDATE outbox SET about = cards.thread FROM cards
        WHERE (outbox.team, outbox.channel, outbox.thread_ts) = (cards.team, cards.channel, cards.ts)""")
    db.execute("UPDATE outbox SET about = c.thread FROM tool_calls c WHERE c.id = call_id")
    db.execute("CREATE INDEX outbox_about ON outbox (about)")
    db.execute("CREATE TABLE erased_messages (key TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT")


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
    """Let a request need the yes of two approvers, and be passed on to the next group of them."""
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
    """Let a call be of no message: what a person has looked up without the model; and find the latest calls at once."""
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


def _count_seals(db: Database) -> None:
    """Count the entries of the chain that there ever were, unless they are counted already."""
    if db["seal_chain"].exists():
        return
    db.execute("CREATE TABLE seal_chain (entries INTEGER NOT NULL) STRICT")
    db.execute("INSERT INTO seal_chain SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'sealed_calls'")
