"""Every client program that is held in tests: adding a client, an API or an environment is adding a row."""

from __future__ import annotations

from clients import Client

APIS = ("openai", "responses", "anthropic", "gemini")
OPENAI = ("openai", "responses")


def loops(*apis: str) -> tuple[tuple[str, str], ...]:
    return tuple((api, "") for api in apis)


def talks(*apis: str) -> tuple[tuple[str, str], ...]:
    """Without tools; for clients that do not mark their retries."""
    return tuple((api, "talk") for api in apis)


BY_ID = ("responses", "by id")
THOUGHT = ("anthropic", "reasoning")
AUTOMATIC = (("gemini", "automatic"),)
"""Functions that the SDK calls itself; in streams, the oldest major forgets the calls of the second step."""

CLIENTS: dict[str, Client] = {
    **{
        f"{major}/{name}": Client(major, program, apis, played, apis[:1])
        for major in ("newest", "previous", "older")
        for name, program, apis, played in (
            ("openai", "sdk_openai.py", OPENAI, (*loops(*OPENAI), BY_ID)),
            ("anthropic", "sdk_anthropic.py", ("anthropic",), (*loops("anthropic"), THOUGHT)),
            ("google", "sdk_google.py", ("gemini",), (*loops("gemini"), *(AUTOMATIC if major != "older" else ()))),
        )
    },
    "node/openai": Client("node", "openai.mjs", OPENAI, (*loops(*OPENAI), BY_ID), ("openai",)),
    "node/anthropic": Client("node", "anthropic.mjs", ("anthropic",), (*loops("anthropic"), THOUGHT), ("anthropic",)),
    "node/google": Client("node", "google.mjs", ("gemini",), (*loops("gemini"), *talks("gemini")), ("gemini",)),
    "node/vercel": Client("node", "vercel.mjs", APIS, (*loops(*APIS), *talks(*APIS)), ("openai", "gemini")),
    "newest/openai-agents": Client("newest", "openai_agents.py", loops=loops(*OPENAI)),
    "newest/langchain": Client("newest", "langchain_agents.py", loops=loops("openai", "responses", "anthropic")),
    "newest/pydantic-ai": Client("newest", "pydantic_agents.py", loops=loops(*APIS)),
    "newest/smolagents": Client("newest", "smol_agents.py", loops=loops("openai")),
    "previous/litellm": Client("previous", "lite_llm.py", loops=loops(*APIS)),
    "previous/llama-index": Client("previous", "llama_index_agents.py", loops=loops(*APIS)),
    "previous/langchain": Client("previous", "langchain_agents.py", loops=loops("gemini")),
    "previous/adk": Client("previous", "google_adk.py", loops=loops("gemini")),
}
