"""What Slack accepts as a Work Object: the entity below a link, its details, and the error in their place."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.testing.slack.block_kit.shape import Check, boolean, integer, items, one_of, problem, shape, string

KINDS = ("task", "file", "item", "incident", "content_item")
_TEXT, _NAME = string(3_000), string(255)
_URL = string(3_000, pattern="^https?://[^ ]+$")
_COLOR = one_of("red", "yellow", "green", "gray", "blue")
_TYPES = (
    *("string", "integer", "boolean", "array", "slack#/types/user", "slack#/types/channel_id"),
    *("slack#/types/timestamp", "slack#/types/date", "slack#/types/image", "slack#/types/entity_ref"),
    *("slack#/types/link", "slack#/types/email"),
)
_VALUES: dict[str, Check] = {
    "string": _TEXT,
    "integer": integer(-(2**53), 2**53),
    "boolean": boolean,
    "array": items(shape({"value": _TEXT}), 100),
    "slack#/types/timestamp": integer(0, 2**53),
    "slack#/types/date": string(10, pattern=r"^\d{4}-\d\d-\d\d$"),
    "slack#/types/link": _URL,
}


def _anything(_value: Any, _place: str) -> Iterator[str]:
    return iter(())


_FIELD = shape(
    {"key": _NAME, "label": _NAME, "value": _anything},
    link=_URL,
    tag_color=_COLOR,
    format=one_of("markdown"),
    long=boolean,
    icon=_anything,
    item_type=one_of("string", "integer", "slack#/types/user", "slack#/types/channel_id", "slack#/types/entity_ref"),
)
_PAYLOAD = shape(
    {
        "attributes": shape(
            {"title": shape({"text": string(500)})},
            display_type=_NAME,
            display_id=_NAME,
            product_name=_NAME,
            product_icon=_anything,
            metadata_last_modified=integer(0, 2**53),
        )
    },
    custom_fields=items(_FIELD, 100, least=0),
    display_order=items(_NAME, 100, least=0),
    actions=_anything,
)
_ENTITY = shape(
    {
        "entity_type": one_of(*(f"slack#/entities/{kind}" for kind in KINDS)),
        "url": _URL,
        "external_ref": shape({"id": _NAME}, type=_NAME),
        "entity_payload": _PAYLOAD,
    },
    app_unfurl_url=_URL,
)
_ERROR = shape(
    {"status": one_of("restricted", "internal_error", "not_found", "custom", "custom_partial_view", "timeout")},
    custom_title=string(255),
    custom_message=_TEXT,
    message_format=one_of("markdown"),
    actions=_anything,
)


def entity_problems(entity: Any, *, below_link: bool) -> list[str]:
    """List what Slack would refuse about an entity `below_link`, or as the details of one; none means that it is fine.

    Real Slack shows a wrong one as no preview at all, and says little.
    """
    found = list(_ENTITY(entity, "/entity"))
    if found:
        return found
    if below_link != ("app_unfurl_url" in entity):
        return [problem("app_unfurl_url belongs to an unfurl, and to nothing else", "/entity/app_unfurl_url")]
    payload = entity["entity_payload"]
    fields = payload.get("custom_fields", [])
    keys = Counter(field["key"] for field in fields)
    found += [problem(f"key {key} already exists", "/entity/custom_fields") for key, n in keys.items() if n > 1]
    unknown = [key for key in payload.get("display_order", ()) if key not in keys]
    found += [problem(f"no field {key}", "/entity/display_order") for key in unknown]
    for position, field in enumerate(fields):
        found += _field_problems(field, f"/entity/custom_fields/{position}")
    return found


def error_problems(error: Any) -> list[str]:
    """List what Slack would refuse about what is shown in the place of details."""
    found = list(_ERROR(error, "/error"))
    if not found and "custom_message" in error and not error["status"].startswith("custom"):
        return [problem("custom_message needs a custom status", "/error")]
    return found


def _field_problems(field: dict[str, Any], place: str) -> Iterator[str]:
    kind = field.get("type")
    if kind not in _TYPES:
        yield problem(f"unsupported type: {kind}", f"{place}/type")
        return
    yield from _VALUES.get(kind, _anything)(field["value"], f"{place}/value")
    if (kind == "array") != ("item_type" in field):
        yield problem("item_type belongs to an array", f"{place}/item_type")
    for one, others in (("format", ("icon", "link")), ("icon", ("tag_color",))):
        if one in field and any(other in field for other in others):
            yield problem(f"{one} goes not with {' or '.join(others)}", place)
