"""Django's PostgreSQL backend that sees to it that there is a server to connect to."""
