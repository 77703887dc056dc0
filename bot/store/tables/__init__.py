"""The store over SQL tables, whichever database they are in: every statement once, for SQLite and for PostgreSQL.

What a database does in its own way is behind `Database` and `Transaction` (`database`), `Leases` and the migrations.
"""
