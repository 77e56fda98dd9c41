"""The items of an `input`, read one by one, and the messages that they make together.

What the assistant said comes in several items; those that follow each other are one message, as they were one answer.
"""

from __future__ import annotations

from itertools import pairwise, zip_longest
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import BadRequest, Breach, Message, Reference, Struct, ToolResult, ToolUse
from llmposter.wire import openai_item_ids as ids
from llmposter.wire import openai_responses_body as sent
from llmposter.wire import seal
from llmposter.wire.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PROBE: Final = msgspec.json.Decoder(sent.Probe)
_DECODERS: Final = {kind: msgspec.json.Decoder(type_) for kind, type_ in sent.ITEMS.items()}
_ROLES: Final = ("assistant", "system", "developer", "user")
_NOT_STORED: Final = (
    "Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item "
    "from your input."
)


_NOTHING: Final = Message("assistant")


class Heard(Struct, frozen=True, dict=True):
    """One item, read.

    Attributes:
        role: who speaks in it; "" for an item that says nothing here.
        message: what it says if it stands alone.
        system: of a system or developer message. id: as it was sent.
        named: its id, where it is ours. refers: it only names what was said.
        wrong: what OpenAI refuses of it, whatever stands beside it; its place goes before.
        plain: alone it is a message that nothing can be wrong with.

    What it says together with those that follow it is kept in its `__dict__`, which is no part of its value.
    """

    role: str
    message: Message = _NOTHING
    system: str = ""
    id: str = ""
    named: ids.Named | None = None
    refers: bool = False
    wrong: tuple[Breach, ...] = ()
    plain: bool = False


def read(raw: bytes) -> Heard:
    """One item.

    Raises:
        msgspec.ValidationError: it is none.
    """
    probe = _PROBE.decode(raw)
    kind = probe.type or _untold(probe)
    if (decoder := _DECODERS.get(kind)) is None:
        return Heard("", wrong=() if kind in sent.HOSTED else (_unknown(kind),))
    match decoder.decode(raw):
        case sent.Message() as message:
            return _message(message)
        case sent.FunctionCall(call_id=call, name=name, arguments=said, id=id_):
            return _said(id_, Message("assistant", calls=(ToolUse(call, name, said),)))
        case sent.CustomCall(call_id=call, name=name, input=said, id=id_):
            return _said(id_, Message("assistant", calls=(ToolUse(call, name, said),)))
        case sent.CallOutput() as output:
            return _result(output)
        case sent.Reasoning() as reasoning:
            return _reasoning(reasoning)
        case sent.Reference(id=id_):
            return _reference(id_)
        case sent.Compaction(encrypted_content=token):
            return _compaction(token)


def _result(output: sent.CallOutput) -> Heard:
    if output.call_id is None and output.name is None:
        raise msgspec.ValidationError("Object missing required field `call_id`")
    result = ToolResult(output.call_id or "", _text(output.output), output.name or "")
    return Heard("tool", Message("tool", results=(result,)), plain=True)


known: Final = Memo(read).all
"""Many, remembered: an item of a history comes again with every request that goes on from there."""


def _untold(probe: sent.Probe) -> str:
    """The type of an item that does not tell it: of a message and of a reference it may be left out."""
    if probe.role is not None:
        return "message"
    if probe.id is not None:
        return "item_reference"
    raise msgspec.ValidationError("Object missing required field `type`")


def _unknown(kind: str) -> str:
    listed = ", ".join(f"'{each}'" for each in sorted((*sent.ITEMS, *sent.HOSTED)))
    return f"Invalid value: '{kind}'. Supported values are: {listed}."


def _said(id_: str | None, message: Message, wrong: tuple[Breach, ...] = ()) -> Heard:
    """An item of the assistant."""
    named = ids.opened(id_)
    if named is not None:
        message = msgspec.structs.replace(message, answer=named.answer)
    alone = named is None or named.reasoning < 0
    return Heard("assistant", message, "", id_ or "", named, wrong=wrong, plain=alone and not wrong)


def _message(message: sent.Message) -> Heard:
    match message.role:
        case "user":
            images, files = _attached(message.content)
            said = Message("user", _text(message.content), images=images, files=files)
            wrong = _misplaced(message)
            return Heard("user", said, wrong=wrong, plain=not wrong)
        case "assistant":
            return _said(message.id, Message("assistant", _text(message.content)), _misplaced(message))
        case "system" | "developer":
            return Heard("system", system=_text(message.content), wrong=_misplaced(message))
        case _:
            raise msgspec.ValidationError(f"Invalid value '{message.role}' - at `$.role`")


def _misplaced(message: sent.Message) -> tuple[str, ...]:
    """Content that this role cannot have: the first part of it."""
    if isinstance(message.content, str):
        return ()
    own = (sent.OutputText, sent.Refused) if message.role == "assistant" else (sent.InputText, sent.Image, sent.File)
    wrong = next((part for part in message.content if not isinstance(part, (*own, sent.Audio))), None)
    if wrong is None:
        return ()
    listed = " and ".join(f"'{kind.__struct_config__.tag}'" for kind in own)
    return (f"Invalid value: '{wrong.__struct_config__.tag}'. Supported values are: {listed}.",)


def _text(content: str | Sequence[sent.Content | sent.SaidBack]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        [
            part.refusal if isinstance(part, sent.Refused) else part.text
            for part in content
            if isinstance(part, sent.InputText | sent.OutputText | sent.Refused | sent.SummaryText)
        ]
    )


def _attached(content: str | Sequence[sent.Content]) -> tuple[int, int]:
    """How many images, and how many files and recordings."""
    if isinstance(content, str):
        return 0, 0
    images = sum(isinstance(part, sent.Image | sent.Screenshot) for part in content)
    return images, sum(isinstance(part, sent.File | sent.Audio) for part in content)


def _reasoning(item: sent.Reasoning) -> Heard:
    thought = "\n".join([part.text for part in (*item.summary, *(item.content or ()))])
    named, token = ids.opened(item.id), item.encrypted_content
    opened = seal.opened(token, thought) if token else None
    wrong: tuple[Breach, ...] = ()
    if token and (opened is None or not (opened.unbroken or not thought)):
        why = "the text beside it was changed." if opened else "Encrypted content could not be decrypted or parsed."
        wrong = (_unverified(token, why),)
    elif named is not None and not named.stored and not token:
        wrong = (_lost(item.id or "", _NOT_STORED),)
    answer = opened.answer if opened is not None else named.answer if named is not None else ""
    return Heard(
        "assistant",
        Message("assistant", thinking=thought, answer=answer),
        id=item.id or "",
        named=named,
        wrong=wrong,
    )


def _compaction(token: str) -> Heard:
    """A history that was summed up ends with the answer that the token names."""
    opened = seal.opened(token, "")
    if opened is None:
        return Heard("", wrong=(_unverified(token, "Encrypted content could not be decrypted or parsed."),))
    if not opened.answer:
        return Heard("")
    return Heard("assistant", Message("assistant", answer=opened.answer), plain=True)


def _unverified(token: str, why: str) -> str:
    return f"The encrypted content {token[:12]}... could not be verified. Reason: {why}"


def _lost(id_: str, why: str = "") -> BadRequest:
    # What the API answers is quoted in github.com/can1357/oh-my-pi/issues/41 and continuedev/continue/issues/9101.
    return BadRequest(f"Item with id '{id_}' not found.{why and f' {why}'}", "input", status=404)


def _placed(n: int, wrong: Breach) -> Breach:
    """With its place, where the sentence does not tell the item by its id."""
    return wrong if isinstance(wrong, BadRequest) else f"input[{n}]: {wrong}"


def _reference(id_: str) -> Heard:
    named = ids.opened(id_)
    if named is None:
        return Heard("", wrong=(_lost(id_),))
    wrong = () if named.stored else (_lost(id_, _NOT_STORED),)
    said = Message("assistant", answer=named.answer)
    return Heard("assistant", said, "", id_, named, refers=True, wrong=wrong)


# --- together ---------------------------------------------------------------------------------------------------


class History(Struct, frozen=True):
    """What items say together: a system prompt, messages, and which of these only refer to an answer."""

    carried: str
    messages: tuple[Message, ...]
    references: tuple[Reference, ...] = ()
    breaches: tuple[Breach, ...] = ()


class _Joined(Struct, frozen=True):
    """What the items of one message say, and what OpenAI refuses of them beside each other."""

    items: list[Heard]
    message: Message
    refers: str = ""
    breaches: tuple[Breach, ...] = ()


def together(heard: Sequence[Heard]) -> History:
    """The history that these items are."""
    if all(map(_PLAIN, heard)) and _apart(list(map(_ROLE, heard))):
        return History("", tuple(map(_MESSAGE, heard)))
    messages: list[Message] = []
    references: list[Reference] = []
    breaches = [_placed(n, wrong) for n, each in enumerate(heard) for wrong in each.wrong]
    for group in _groups(heard):
        if len(group) == 1 and group[0].plain:
            messages.append(group[0].message)
            continue
        joined = _joined(group)
        if joined.refers:
            references.append(Reference(len(messages), joined.message.answer, _lost(joined.refers)))
        breaches += joined.breaches
        messages.append(joined.message)
    told = [each.system for each in heard if each.role == "system"]
    return History("\n".join(told), tuple(messages), tuple(references), tuple(breaches))


_PLAIN: Final = attrgetter("plain")
_ROLE: Final = attrgetter("role")
_MESSAGE: Final = attrgetter("message")


def _apart(roles: list[str]) -> bool:
    """Whether items of these roles make a message each for certain."""
    return "tool" not in roles and ("assistant", "assistant") not in pairwise(roles)


def _groups(heard: Sequence[Heard]) -> list[list[Heard]]:
    """Items that make one message: consecutive results, and what was said in one answer.

    An id tells the answer even where a result stands between its calls, as some clients have it.
    """
    groups: list[list[Heard]] = []
    role = answer = ""  # of the last group, and of the last answer that nothing of the user's follows
    for item in heard:
        if item.role in _ASIDE:
            continue
        of = item.message.answer
        if item.role == role == "tool":
            groups[-1].append(item)
        elif item.role == role == "assistant" and (not of or not answer or of == answer):
            groups[-1].append(item)
            answer = answer or of
        elif item.role == "assistant" and role == "tool" and of and of == answer:
            groups[-2].append(item)
        else:
            groups.append([item])
            role = item.role
            answer = of if role == "assistant" else answer if role == "tool" else ""
    return groups


_ASIDE: Final = ("", "system")


def _joined(group: list[Heard]) -> _Joined:
    """What these items are together; kept with the first of them, which is the same the next time."""
    known: _Joined | None = group[0].__dict__.get("joined")
    if known is not None and len(known.items) == len(group) and all(map(is_, known.items, group)):
        return known
    parts = [each.message for each in group]
    message = Message(
        parts[0].role,
        "\n".join([part.text for part in parts if part.text]),
        calls=tuple(call for part in parts for call in part.calls),
        results=tuple(result for part in parts for result in part.results),
        thinking="\n".join([part.thinking for part in parts if part.thinking]),
        answer=next((part.answer for part in parts if part.answer), ""),
    )
    # What was not stored is not looked for: that it is lost, the item itself says.
    refers = next((each.id for each in group if each.refers and not each.wrong), "")
    joined = group[0].__dict__["joined"] = _Joined(group, message, refers, tuple(_parted(group)))
    return joined


def _parted(group: Sequence[Heard]) -> Iterator[str]:
    """Reasoning without what it led to, or the other way round: OpenAI takes both or neither."""
    ours = [(each.named, each, after) for each, after in zip_longest(group, group[1:]) if each.named is not None]
    places = {named.index for named, *_ in ours}
    for named, item, after in ours:
        if named.reasoning == named.index:
            # Vercel's SDK refers to the reasoning and sends the call that it led to without an id.
            if max(places) == named.index and (after is None or after.named is not None):
                yield f"Item '{item.id}' of type 'reasoning' was provided without its required following item."
        elif named.reasoning >= 0 and named.reasoning not in places:
            reasoning = ids.named("reasoning", named.answer, named.reasoning, named.reasoning, stored=named.stored)
            yield (
                f"Item '{item.id}' of type '{ids.kind(item.id)}' was provided without its required 'reasoning' item: "
                f"'{reasoning}'."
            )
            return
