"""Secrets in a scenario that look real: a file of tests is shared, and what stands in it is no secret any more.

A finding is right or it is not made: what says itself that it is made up, or has too little variety, is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import At
from llmposter_dsl.source import Span

if TYPE_CHECKING:
    from llmposter_dsl import bind
    from llmposter_dsl.tree import Document

_KINDS: Final = {
    "an Anthropic key": r"sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{24,}",
    "an OpenAI key": r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{24,}|sk-[A-Za-z0-9]{40,}",
    "a Google API key": r"AIza[A-Za-z0-9_-]{35}",
    "a Google OAuth token": r"ya29\.[A-Za-z0-9_-]{24,}",
    "a Google client secret": r"GOCSPX-[A-Za-z0-9_-]{28}",
    "a GitHub token": r"gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}",
    "an AWS access key": r"AKIA[A-Z0-9]{16}",
    "a Slack token": r"xox[abprs]-[A-Za-z0-9-]{20,}",
    "a Hugging Face token": r"hf_[A-Za-z0-9]{34}",
    "a Groq key": r"gsk_[A-Za-z0-9]{40,}",
    "an xAI key": r"xai-[A-Za-z0-9]{60,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
"""What each looks like, as its issuer documents it or as secret scanners know it."""
_ANY: Final = re.compile(
    "|".join(rf"(?P<k{n}>{form})" for n, form in enumerate(f"(?<![A-Za-z0-9])(?:{f})" for f in _KINDS.values()))
)
_NAMES: Final = tuple(_KINDS)
_MADE_UP: Final = re.compile(r"(?i)test|fake|dummy|example|sample|mock|secret|placeholder|abcdef|123456|x{4}|0{6}")
_VARIETY: Final = 10
"""Characters that differ; a key of random ones has more."""


def check(document: Document, report: bind.Report) -> None:
    """Reports what looks like somebody's real secret."""
    text = document.source.text
    for found in _ANY.finditer(text):
        if _MADE_UP.search(found[0]) or len(set(found[0])) < _VARIETY:
            continue
        name = _NAMES[int(str(found.lastgroup)[1:])]
        cure = 'any text will do for a test: write a made-up one, such as `"sk-test"`, and withdraw this one'
        place = At(document.source, Span(*found.span()))
        report(Diagnostic("LP902", f"this looks like {name} that is real", place, cure))
