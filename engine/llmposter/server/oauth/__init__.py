"""The OAuth 2.0 companion of a server, on a port of its own; imported only where somebody asks for one."""

from llmposter.server.oauth.companion import Companion

__all__ = ["Companion"]
