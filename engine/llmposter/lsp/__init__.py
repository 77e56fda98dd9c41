"""The language server: what an editor asks of a scenario while it is written. Needs the extra `lsp`.

Only `server` knows the protocol's messages; the other modules speak of texts, offsets and documents.
"""
