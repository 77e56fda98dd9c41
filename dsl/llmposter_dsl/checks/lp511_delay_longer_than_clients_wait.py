"""A delay that is longer than the SDKs wait for.

## Why it is a mistake

The SDKs of OpenAI and Anthropic give up after 600 seconds without a byte, if they are told nothing else, and try again.
google-genai waits for ever.
It is said of a delay that is longer more often than not, or can be where its bounds are known.

## Example

```toml
[[states.begin]]
reply   = "Hello!"
latency = "15m"  # LP511
```

## Instead

Suppress it where that is what you test.

```toml
[[states.begin]]
reply   = "Hello!"
latency = "2s"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "delay longer than clients wait")
