"""The Python library, above the server: what `llmposter` itself hands on, its records and its transcript."""
