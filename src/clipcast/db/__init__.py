"""The database: connections, transactions, column types, migrations."""
