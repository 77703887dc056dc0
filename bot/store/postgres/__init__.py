"""The store in PostgreSQL, for any number of processes on any number of machines: psycopg 3, a pool, row by row."""
