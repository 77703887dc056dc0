"""The schema of the built-in shop, forward only."""

from sqlite_utils import Database, Migrations

# How a number is looked up: in small letters without what people leave out, and without the letters before it.
NUMBER_KEY = "lower(replace(replace(replace(replace(id, '#', ''), '-', ''), '_', ''), ' ', ''))"
NUMBER_DIGITS = f"ltrim({NUMBER_KEY}, 'abcdefghijklmnopqrstuvwxyz')"

shop_migrations = Migrations("shop")


@shop_migrations()
def shop_tables(db: Database) -> None:
    """Create customers, orders and refunds."""
    db.execute("""
        CREATE TABLE customers (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE UNIQUE
        ) STRICT""")
    db.execute("""
        CREATE TABLE orders (
            id TEXT PRIMARY KEY,
            customer_id TEXT NOT NULL REFERENCES customers(id),
            status TEXT NOT NULL CHECK (status IN ('paid', 'packed', 'shipped', 'delayed', 'out_for_delivery',
                                                   'delivered', 'cancelled')),
            currency TEXT NOT NULL DEFAULT 'USD',
            total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
            payment_method TEXT NOT NULL,
            placed_at TEXT NOT NULL,
            expected_on TEXT, delivered_at TEXT, carrier TEXT, tracking_number TEXT, tracking_url TEXT, note TEXT
        ) STRICT""")
    db.execute("CREATE INDEX orders_of_customer ON orders (customer_id, placed_at)")
    db.execute("""
        CREATE TABLE order_items (
            order_id TEXT NOT NULL REFERENCES orders(id), position INTEGER NOT NULL,
            name TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0), unit_price_minor INTEGER NOT NULL,
            PRIMARY KEY (order_id, position)
        ) STRICT""")
    db.execute("""
        CREATE TABLE tracking_events (
            id INTEGER PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id),
            at TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX tracking_events_of_order ON tracking_events (order_id, at)")
    db.execute("""
        CREATE TABLE refunds (
            id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id),
            amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
            reason TEXT NOT NULL, idempotency_key TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX refunds_of_order ON refunds (order_id)")


@shop_migrations()
def deleted_customers(db: Database) -> None:
    """Add customers who are hidden at once and erased later."""
    db.execute("ALTER TABLE customers ADD COLUMN deleted_at TEXT")
    db.execute("ALTER TABLE customers ADD COLUMN erase_after TEXT")


@shop_migrations()
def effects(db: Database) -> None:
    """Keep what was done under a key beside the refunds, so that its outcome depends on the key alone."""
    db.execute("""
        CREATE TABLE effects (
            idempotency_key TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('cancel', 'delete_customer')),
            subject TEXT NOT NULL, amount_minor INTEGER, currency TEXT, created_at TEXT NOT NULL
        ) STRICT""")


@shop_migrations()
def one_table_of_effects(db: Database) -> None:
    """Keep every change under its key, whatever kind it is, and all money as signed payments; bring the rows over."""
    db.execute("ALTER TABLE effects RENAME TO old_effects")
    db.execute("""
        CREATE TABLE effects (
            idempotency_key TEXT PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL,
            order_id TEXT REFERENCES orders(id), customer_id TEXT REFERENCES customers(id),
            change TEXT CHECK (change IS NULL OR json_valid(change)), lines TEXT NOT NULL DEFAULT '{}',
            status TEXT NOT NULL DEFAULT 'succeeded' CHECK (status IN ('succeeded', 'pending', 'failed')),
            error TEXT, created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX effects_of_order ON effects (order_id)")
    db.execute("""
        CREATE TABLE payments (
            id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id),
            amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, method TEXT NOT NULL,
            reason TEXT, idempotency_key TEXT REFERENCES effects(idempotency_key), created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX payments_of_order ON payments (order_id)")
    db.execute("""
        INSERT INTO effects (idempotency_key, id, kind, order_id, customer_id, created_at)
        SELECT idempotency_key, 'ef_' || lower(hex(randomblob(6))),
               iif(kind = 'cancel', 'cancel_order', 'delete_account'),
               iif(kind = 'cancel', subject, NULL), iif(kind = 'cancel', NULL, subject), created_at
        FROM old_effects""")
    db.execute("""
        INSERT OR IGNORE INTO effects (idempotency_key, id, kind, order_id, created_at)
        SELECT idempotency_key, id, 'refund', order_id, created_at FROM refunds""")
    db.execute("""
        INSERT INTO payments SELECT 'pay_' || id, id, total_minor, currency, payment_method, NULL, NULL, placed_at
        FROM orders""")
    db.execute("""
        INSERT INTO payments
        SELECT refunds.id, order_id, -amount_minor, refunds.currency, payment_method, reason, idempotency_key,
               created_at
        FROM refunds JOIN orders ON orders.id = order_id""")
    db.execute("DROP TABLE old_effects")
    db.execute("DROP TABLE refunds")


@shop_migrations()
def refunds_as_a_view(db: Database) -> None:
    """Show the money that went back as refunds, and take in what the shop's own people give back."""
    db.execute("""
        CREATE VIEW refunds AS
        SELECT payments.id, payments.order_id, -amount_minor AS amount_minor, currency, coalesce(reason, '') AS reason,
               idempotency_key, payments.created_at
        FROM payments JOIN effects USING (idempotency_key)
        WHERE amount_minor < 0 AND kind IN ('refund', 'cancel_order') AND status != 'failed'""")
    db.execute("""
        CREATE TRIGGER refunds_insert INSTEAD OF INSERT ON refunds BEGIN
            INSERT INTO effects (idempotency_key, id, kind, order_id, created_at)
            VALUES (NEW.idempotency_key, NEW.id, 'refund', NEW.order_id, NEW.created_at);
            INSERT INTO payments
            SELECT NEW.id, NEW.order_id, -NEW.amount_minor, NEW.currency, payment_method, NEW.reason,
                   NEW.idempotency_key, NEW.created_at FROM orders WHERE id = NEW.order_id;
        END""")


@shop_migrations()
def order_numbers_of_any_shape(db: Database) -> None:
    """Add the keys by which an order is found however its number is written."""
    db.execute(f"CREATE INDEX orders_by_key ON orders ({NUMBER_KEY})")
    db.execute(f"CREATE INDEX orders_by_digits ON orders ({NUMBER_DIGITS})")


@shop_migrations()
def catalogue(db: Database) -> None:
    """Create what can be chosen of: products with variants, payment methods, addresses, parcels and returns."""
    db.execute("CREATE TABLE products (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT")
    db.execute("""
        CREATE TABLE variants (
            id TEXT PRIMARY KEY, product_id TEXT NOT NULL REFERENCES products(id), options TEXT NOT NULL,
            price_minor INTEGER NOT NULL CHECK (price_minor >= 0), currency TEXT NOT NULL DEFAULT 'USD',
            stock INTEGER NOT NULL CHECK (stock >= 0)
        ) STRICT""")
    db.execute("CREATE INDEX variants_of_product ON variants (product_id)")
    db.execute("""
        CREATE TABLE payment_methods (
            id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers(id), label TEXT NOT NULL,
            balance_minor INTEGER CHECK (balance_minor >= 0), currency TEXT NOT NULL DEFAULT 'USD'
        ) STRICT""")
    db.execute("CREATE INDEX payment_methods_of_customer ON payment_methods (customer_id)")
    db.execute("""
        CREATE TABLE parcels (
            order_id TEXT NOT NULL REFERENCES orders(id), number INTEGER NOT NULL, carrier TEXT NOT NULL,
            tracking_number TEXT NOT NULL, tracking_url TEXT, status TEXT NOT NULL,
            lines TEXT NOT NULL CHECK (json_valid(lines)), PRIMARY KEY (order_id, number)
        ) STRICT""")
    db.execute("""
        CREATE TABLE returns (
            idempotency_key TEXT NOT NULL REFERENCES effects(idempotency_key), order_id TEXT NOT NULL,
            line INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('return', 'exchange')),
            variant_id TEXT REFERENCES variants(id), refund_to TEXT,
            received_at TEXT, created_at TEXT NOT NULL, PRIMARY KEY (order_id, line)
        ) STRICT""")
    db.execute("ALTER TABLE customers ADD COLUMN address TEXT CHECK (address IS NULL OR json_valid(address))")
    db.execute("ALTER TABLE orders ADD COLUMN address TEXT CHECK (address IS NULL OR json_valid(address))")
    db.execute("ALTER TABLE orders ADD COLUMN payment_method_id TEXT REFERENCES payment_methods(id)")
    db.execute("ALTER TABLE order_items ADD COLUMN options TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE order_items ADD COLUMN variant_id TEXT REFERENCES variants(id)")


@shop_migrations()
def payments_by_method(db: Database) -> None:
    """Keep which of a customer's payment methods a payment is by, where two are called alike."""
    db.execute("ALTER TABLE payments ADD COLUMN method_id TEXT")
    db.execute("DROP TRIGGER refunds_insert")
    db.execute("""
        CREATE TRIGGER refunds_insert INSTEAD OF INSERT ON refunds BEGIN
            INSERT INTO effects (idempotency_key, id, kind, order_id, created_at)
            VALUES (NEW.idempotency_key, NEW.id, 'refund', NEW.order_id, NEW.created_at);
            INSERT INTO payments
                (id, order_id, amount_minor, currency, method, reason, idempotency_key, created_at, method_id)
            SELECT NEW.id, NEW.order_id, -NEW.amount_minor, NEW.currency, payment_method, NEW.reason,
                   NEW.idempotency_key, NEW.created_at, payment_method_id FROM orders WHERE id = NEW.order_id;
        END""")
