"""An OAuth 2.0 and OpenID Connect authorization server without its sockets: requests in, answers out.

Pure: time and chance come in as arguments, and nothing here imports Tornado. Only this folder imports Authlib, which
has the grants, and joserfc, which has the tokens.
"""
