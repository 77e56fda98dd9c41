"""Every client program that is held in tests: adding a client, an API or an environment is adding a row."""

from __future__ import annotations

from clients import Client

CHAT = (("openai", ""),)

CLIENTS: dict[str, Client] = {
    "newest/openai": Client("newest", "sdk_openai.py", ("openai",), CHAT),
    "previous/openai": Client("previous", "sdk_openai.py", ("openai",), CHAT),
    "older/openai": Client("older", "sdk_openai.py", ("openai",), CHAT),
    "node/openai": Client("node", "openai.mjs", ("openai",), CHAT),
    "node/vercel": Client("node", "vercel.mjs", ("openai",), CHAT),
    "newest/openai-agents": Client("newest", "openai_agents.py", loops=CHAT),
    "newest/langchain": Client("newest", "langchain_agents.py", loops=CHAT),
    "newest/pydantic-ai": Client("newest", "pydantic_agents.py", loops=CHAT),
    "newest/smolagents": Client("newest", "smol_agents.py", loops=CHAT),
    "previous/litellm": Client("previous", "lite_llm.py", loops=CHAT),
    "previous/llama-index": Client("previous", "llama_index_agents.py", loops=CHAT),
}
