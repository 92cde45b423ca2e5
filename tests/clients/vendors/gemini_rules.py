"""What the Gemini API insists on, for single fields of a request; the order of turns is checked by the vendor."""

import json
import re
from typing import Any

from clients.vendors.script import RefusedError
from clients.vendors.vendor import checked_image, only, require

SCHEMA_FIELDS = {
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
    "default", "items", "minimum", "maximum",
}  # fmt: skip
UNSIGNED = {"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}
"""What the vendor's documentation names for calls that it did not make itself."""


def standard(data: Any) -> Any:
    """Bytes may come in the alphabet for URLs too."""
    return (
        data.translate(str.maketrans("-_", "+/")) if isinstance(data, str) and data not in UNSIGNED else data
    )


def image_of(inline: dict[str, Any], where: str) -> tuple[str, str]:
    only(inline, where, {"mimeType", "data", "displayName"}, ("mimeType", "data"))
    return checked_image(inline["mimeType"], standard(inline["data"]))


def result_of(response: dict[str, Any]) -> str:
    """The words of a result; whatever its client called them."""
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in response.values())


def tools_of(groups: Any) -> dict[str, Any]:
    tools = {}
    for group in groups:
        only(group, "tools", {"functionDeclarations"})
        for declared in group["functionDeclarations"]:
            fields = {
                "name",
                "description",
                "parameters",
                "parametersJsonSchema",
                "response",
                "responseJsonSchema",
            }
            only(declared, "function_declarations", fields, ("name",))
            require(
                re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}", declared["name"]) is not None,
                "Invalid function name",
            )
            require(not {"parameters", "parametersJsonSchema"} <= set(declared), "parameters twice")
            if "parameters" in declared:
                _check_schema(declared["parameters"], declared["name"])
            tools[declared["name"]] = declared.get("parameters") or declared.get("parametersJsonSchema")
    return tools


def _check_schema(schema: dict[str, Any], where: str) -> None:
    only(schema, where, SCHEMA_FIELDS | {"any_of", "property_ordering", "max_items", "min_items"})
    require(
        "type" not in schema or isinstance(schema["type"], str), f"{where}.type: Proto field is not repeating"
    )
    for name, inner in schema.get("properties", {}).items():
        _check_schema(inner, f"{where}.{name}")
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        _check_schema(inner, where)


def forced_tool(config: dict[str, Any], tools: dict[str, Any]) -> str | None:
    only(config, "tool_config", {"functionCallingConfig"})
    calling = config.get("functionCallingConfig", {})
    only(calling, "function_calling_config", {"mode", "allowedFunctionNames"})
    names = calling.get("allowedFunctionNames", [])
    require(set(names) <= set(tools), f"allowed_function_names: {names}")
    match calling.get("mode", "AUTO"):
        case "AUTO" | "NONE" | "VALIDATED":
            return None
        case "ANY":
            return names[0] if len(names) == 1 else "*"
        case mode:
            raise RefusedError(f"function_calling_config.mode: {mode}")


def wanted_schema(generation: dict[str, Any]) -> Any:
    require(not {"responseSchema", "responseJsonSchema"} <= set(generation), "a schema twice")
    schema = generation.get("responseSchema") or generation.get("responseJsonSchema")
    if schema is not None:
        require(generation.get("responseMimeType") == "application/json", "a schema needs response_mime_type")
        if "responseSchema" in generation:
            _check_schema(generation["responseSchema"], "response_schema")
    return schema
