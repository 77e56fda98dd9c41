"""Every client program that is held in tests: adding a client, an API or an environment is adding a row."""

from __future__ import annotations

from clients import Client

CHAT = (("openai", ""),)
OPENAI = (*CHAT, ("responses", ""))

CLIENTS: dict[str, Client] = {
    "newest/openai": Client("newest", "sdk_openai.py", ("openai", "responses"), OPENAI),
    "previous/openai": Client("previous", "sdk_openai.py", ("openai", "responses"), OPENAI),
    "older/openai": Client("older", "sdk_openai.py", ("openai", "responses"), OPENAI),
    "node/openai": Client("node", "openai.mjs", ("openai", "responses"), OPENAI),
    "node/vercel": Client("node", "vercel.mjs", ("openai", "responses"), OPENAI),
    "newest/openai-agents": Client("newest", "openai_agents.py", loops=OPENAI),
    "newest/langchain": Client("newest", "langchain_agents.py", loops=OPENAI),
    "newest/pydantic-ai": Client("newest", "pydantic_agents.py", loops=OPENAI),
    "newest/smolagents": Client("newest", "smol_agents.py", loops=CHAT),
    "previous/litellm": Client("previous", "lite_llm.py", loops=OPENAI),
    "previous/llama-index": Client("previous", "llama_index_agents.py", loops=OPENAI),
}
