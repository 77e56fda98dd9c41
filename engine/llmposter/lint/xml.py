"""JUnit's XML, as Jenkins and GitLab read it: whatever text stands in it, every reader of XML 1.0 can read it."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has not: https://www.w3.org/TR/xml/#charsets."""


def clean(text: str) -> str:
    """The text, with a replacement for each character that XML has not."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def document(root: ET.Element) -> str:
    """The whole text."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
