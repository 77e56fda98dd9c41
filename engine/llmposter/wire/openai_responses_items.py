"""The items of an `input`, read one by one, and the messages that they make together.

What the assistant said comes in several items; those that follow each other are one message, as they were one answer.
"""

from __future__ import annotations

from itertools import groupby, zip_longest
from operator import is_
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from llmposter.model import BadRequest, Message, Reference, Struct, ToolResult, ToolUse
from llmposter.wire import openai_item_ids as ids
from llmposter.wire import openai_responses_body as sent
from llmposter.wire import seal
from llmposter.wire.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PROBE: Final = msgspec.json.Decoder(sent.Probe)
_DECODERS: Final = {kind: msgspec.json.Decoder(type_) for kind, type_ in sent.ITEMS.items()}
_ROLES: Final = ("assistant", "system", "developer", "user")
_NOT_STORED: Final = (
    "Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item "
    "from your input."
)


class Heard(Struct, frozen=True, dict=True):
    """One item, read.

    Attributes:
        role: who speaks in it; "" for an item that says nothing here.
        message: what it says if it stands alone; None for a system message.
        system: of a system or developer message. type: as OpenAI calls the item. id: as it was sent.
        named: its id, where it is ours. refers: it only names what was said.
        wrong: what OpenAI refuses of it, whatever stands beside it; its place goes before.

    What it says together with those that follow it is kept in its `__dict__`, which is no part of its value.
    """

    role: str
    type: str
    message: Message | None = None
    system: str = ""
    id: str = ""
    named: ids.Named | None = None
    refers: bool = False
    wrong: tuple[str, ...] = ()


def _read(raw: bytes) -> Heard:
    """One item.

    Raises:
        msgspec.ValidationError: it is none.
    """
    probe = _PROBE.decode(raw)
    kind = probe.type or _untold(probe)
    if (decoder := _DECODERS.get(kind)) is None:
        return Heard("", kind, wrong=() if kind in sent.HOSTED else (_unknown(kind),))
    match decoder.decode(raw):
        case sent.Message() as message:
            return _message(message)
        case sent.FunctionCall(call_id=call, name=name, arguments=said, id=id_):
            return _said(kind, id_, Message("assistant", calls=(ToolUse(call, name, said),)))
        case sent.CustomCall(call_id=call, name=name, input=said, id=id_):
            return _said(kind, id_, Message("assistant", calls=(ToolUse(call, name, said),)))
        case sent.CallOutput(call_id=call, output=output):
            return Heard("tool", kind, Message("tool", results=(ToolResult(call, _text(output)),)))
        case sent.Reasoning() as reasoning:
            return _reasoning(reasoning)
        case sent.Reference(id=id_):
            return _reference(id_)


read: Final = _read
known: Final = Memo(_read).get
"""Likewise, remembered: an item of a history comes again with every request that goes on from there."""


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


def _said(kind: str, id_: str | None, message: Message, wrong: tuple[str, ...] = ()) -> Heard:
    """An item of the assistant."""
    named = ids.opened(id_)
    if named is not None:
        message = msgspec.structs.replace(message, answer=named.answer)
    return Heard("assistant", kind, message, "", id_ or "", named, wrong=wrong)


def _message(message: sent.Message) -> Heard:
    match message.role:
        case "user":
            images, files = _attached(message.content)
            said = Message("user", _text(message.content), images=images, files=files)
            return Heard("user", "message", said, wrong=_misplaced(message))
        case "assistant":
            return _said("message", message.id, Message("assistant", _text(message.content)), _misplaced(message))
        case "system" | "developer":
            return Heard("system", "message", system=_text(message.content), wrong=_misplaced(message))
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
    wrong: tuple[str, ...] = ()
    if token and (opened is None or not (opened.unbroken or not thought)):
        wrong = (
            f"The encrypted content {token[:12]}... could not be verified. Reason: "
            + ("the text beside it was changed." if opened else "Encrypted content could not be decrypted or parsed."),
        )
    elif named is not None and not named.stored and not token:
        wrong = (f"Item with id '{item.id}' not found. {_NOT_STORED}",)
    answer = opened.answer if opened is not None else named.answer if named is not None else ""
    return Heard(
        "assistant",
        "reasoning",
        Message("assistant", thinking=thought, answer=answer),
        id=item.id or "",
        named=named,
        wrong=wrong,
    )


def _reference(id_: str) -> Heard:
    named = ids.opened(id_)
    if named is None:
        return Heard("", "item_reference", wrong=(f"Item with id '{id_}' not found.",))
    wrong = () if named.stored else (f"Item with id '{id_}' not found. {_NOT_STORED}",)
    said = Message("assistant", answer=named.answer)
    return Heard("assistant", "item_reference", said, "", id_, named, refers=True, wrong=wrong)


# --- together ---------------------------------------------------------------------------------------------------


class History(Struct, frozen=True):
    """What items say together: a system prompt, messages, and which of these only refer to an answer."""

    carried: str
    messages: tuple[Message, ...]
    references: tuple[Reference, ...] = ()
    breaches: tuple[str, ...] = ()


def together(heard: Sequence[Heard]) -> History:
    """The history that these items are."""
    if len(heard) == 1 and (only := heard[0]).role == "user" and not only.wrong and only.message is not None:
        return History("", (only.message,))
    groups = _groups([each for each in heard if each.role and each.role != "system"])
    messages: list[Message] = []
    references: list[Reference] = []
    for group in groups:
        if any(each.refers for each in group):
            refers = next(each for each in group if each.refers)
            references.append(Reference(len(messages), _answer(refers), _not_found(refers.id)))
        messages.append(_joined(group))
    return History(
        "\n".join([each.system for each in heard if each.role == "system"]),
        tuple(messages),
        tuple(references),
        tuple(_breaches(heard)),
    )


def _not_found(id_: str) -> BadRequest:
    return BadRequest(f"Item with id '{id_}' not found.", "input", status=404)


def _answer(item: Heard) -> str:
    return item.message.answer if item.message is not None else ""


def _groups(heard: Iterable[Heard]) -> list[list[Heard]]:
    """Items that make one message: consecutive results, and what was said in one answer.

    An id tells the answer even where a result stands between its calls, as some clients have it.
    """
    groups: list[list[Heard]] = []
    for item in heard:
        last = groups[-1] if groups else None
        if last is None or item.role == "user":
            groups.append([item])
        elif item.role == "tool":
            groups.append([item]) if last[0].role != "tool" else last.append(item)
        elif last[0].role == "assistant" and _one_answer(last, item):
            last.append(item)
        elif last[0].role == "tool" and (of := _answer(item)) and len(groups) > 1 and _group_answer(groups[-2]) == of:
            groups[-2].append(item)
        else:
            groups.append([item])
    return groups


def _group_answer(group: Iterable[Heard]) -> str:
    return next((answer for each in group if (answer := _answer(each))), "")


def _one_answer(group: list[Heard], item: Heard) -> bool:
    answer, of = _answer(item), _group_answer(group)
    return not answer or not of or answer == of


_Known: TypeAlias = tuple[list[Heard], Message]
_NOTHING: Final[_Known] = ([], Message("assistant"))


def _joined(group: list[Heard]) -> Message:
    """The message that these items are; kept with the first of them, which is the same the next time."""
    first, *rest = group
    if not rest and first.message is not None:
        return first.message
    known: _Known = first.__dict__.get("joined", _NOTHING)
    if len(known[0]) == len(rest) and all(map(is_, known[0], rest)):
        return known[1]
    parts = [each.message for each in group if each.message is not None]
    message = Message(
        parts[0].role,
        "\n".join([part.text for part in parts if part.text]),
        calls=tuple(call for part in parts for call in part.calls),
        results=tuple(result for part in parts for result in part.results),
        thinking="\n".join([part.thinking for part in parts if part.thinking]),
        answer=_group_answer(group),
    )
    first.__dict__["joined"] = rest, message
    return message


# --- what OpenAI refuses ----------------------------------------------------------------------------------------


def _breaches(heard: Sequence[Heard]) -> Iterator[str]:
    """What is wrong with items, by themselves and beside each other."""
    for n, item in enumerate(heard):
        for wrong in item.wrong:
            yield f"input[{n}]: {wrong}"
    ours = [(each.named, each, after) for each, after in zip_longest(heard, heard[1:]) if each.named is not None]
    for _, of_one in groupby(ours, key=lambda found: found[0].answer):
        yield from _parted(list(of_one))


def _parted(items: list[tuple[ids.Named, Heard, Heard | None]]) -> Iterator[str]:
    """Reasoning without what it led to, or the other way round: OpenAI takes both or neither."""
    places = {named.index for named, *_ in items}
    for named, item, following in items:
        if named.reasoning == named.index:
            # Vercel's SDK refers to the reasoning and sends the call that it led to without an id.
            nameless = following is not None and following.named is None and following.role == "assistant"
            if max(places) == named.index and not nameless:
                yield f"Item '{item.id}' of type 'reasoning' was provided without its required following item."
        elif named.reasoning >= 0 and named.reasoning not in places:
            reasoning = ids.named("reasoning", named.answer, named.reasoning, named.reasoning, stored=named.stored)
            kind = "message" if item.id.startswith("msg") else item.type
            yield (
                f"Item '{item.id}' of type '{kind}' was provided without its required 'reasoning' item: '{reasoning}'."
            )
            return
