"""All I/O: requests in over HTTP, answers out on the clock, the admin API; what is said is decided below."""

from llmposter.server.running import Running, Settings, serve

__all__ = ["Running", "Settings", "serve"]
