"""The arguments of a tool as strict mode takes them."""

from typing import Any


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Reduce pydantic's schema to what strict mode takes: references put in place, no titles."""
    definitions = schema.pop("$defs", {})

    def reduce(node: Any) -> Any:
        if isinstance(node, list):
            return [reduce(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            found = definitions[node["$ref"].rpartition("/")[2]]
            told = {k: v for k, v in found.items() if k != "description"}  # that is for us; the field tells the model
            node = told | {k: v for k, v in node.items() if k != "$ref"}
        return {
            key: {name: reduce(part) for name, part in value.items()} if key == "properties" else reduce(value)
            for key, value in node.items()
            if key not in ("title", "default") and not (key == "description" and value == schema.get("description"))
        }

    reduced: dict[str, Any] = reduce(schema)
    return reduced | {"required": list(reduced["properties"])}  # a server without strict mode leaves out the optional
