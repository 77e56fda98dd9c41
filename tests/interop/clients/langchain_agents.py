"""LangChain's agents, which LangGraph runs, on OpenAI (Chat and Responses), Anthropic and Google."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from playing import LOOP, MODELS, Heard, Play, get_weather, run


def openai(url: str) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=MODELS["openai"], base_url=f"{url}/v1", api_key="any", use_responses_api=False)


def responses(url: str) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=MODELS["responses"], base_url=f"{url}/v1", api_key="any", use_responses_api=True)


def anthropic(url: str) -> Any:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model=MODELS["anthropic"], base_url=url, api_key="any")


def gemini(url: str) -> Any:
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(model=MODELS["gemini"], base_url=url, api_key="any", max_retries=3)


def loop(connect: Callable[[str], Any]) -> Play:
    def play(url: str, _: str, stream: bool) -> Heard:
        agent = create_agent(connect(url), [get_weather], system_prompt="You tell the weather.")
        asked = {"messages": [{"role": "user", "content": LOOP}]}
        if not stream:
            return {"text": agent.invoke(asked)["messages"][-1].text}
        said = [chunk for chunk, _ in agent.stream(asked, stream_mode="messages") if chunk.type == "AIMessageChunk"]
        last = said[-1].id
        return {"text": "".join(chunk.text for chunk in said if chunk.id == last)}

    return play


run(loop={"openai": loop(openai), "responses": loop(responses), "anthropic": loop(anthropic), "gemini": loop(gemini)})
