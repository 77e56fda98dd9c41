"""The first scenario that `llmposter init` writes: it lints clean, and its examples pass."""

from __future__ import annotations

from typing import Final

TEXT: Final = r"""# A first scenario.
#
#   llmposter lint scenario.toml     finds what is wrong with it
#   llmposter test scenario.toml     plays the examples at the end
#   llmposter run scenario.toml      serves it on http://127.0.0.1:2112/v1
#
# Every conversation has its own place in this little machine, and its own variables.

[scenario]
start = "ask"                        # where a conversation begins
final = ["done"]                     # where it may end

[vars]
city = ""                            # the first value; it also says that `city` is a text

# A tool that your agent offers; `call` is checked against this schema.
[tools.get_weather]
type = "object"
required = ["city"]
properties = { city = { type = "string" } }

# The rules of the state `ask`, tried in order: the first whose `when` holds answers.
[[states.ask]]
when = 'user matches /weather in (?P<place>\w+)/i'
set  = { city = "place" }            # the named group of the regular expression
call = 'get_weather(city: city)'     # the model calls a tool ...
goto = "answer"                      # ... and the conversation moves on

[[states.ask]]
reply = "I can tell you the weather. Where are you?"

# Now the agent has run the tool and sends its result.
[[states.answer]]
when  = 'result("get_weather") exists'
reply = "It is ${result.json.temp}°C in ${city}."
goto  = "done"

[[states.done]]
reply = "That was all I know."

# What a client sends, and what it must get.
[[examples]]
name  = "the weather in Paris"
turns = [
  { user = "Hello", expect = 'reply contains "Where are you"' },
  { user = "What is the weather in Paris?", expect = 'call("get_weather").city == "Paris"' },
  { tool = "get_weather", result = { temp = 22 }, expect = 'reply == "It is 22°C in Paris."', state = "done" },
  { user = "And tomorrow?", expect = 'reply contains "all I know"' },
]
"""
