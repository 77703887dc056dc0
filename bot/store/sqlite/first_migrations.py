"""The schema of the bot's own tables as it began; `migrations` goes on from here."""

from sqlite_utils import Database, Migrations

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
