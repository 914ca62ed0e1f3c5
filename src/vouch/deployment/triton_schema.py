"""What may stand in Triton's config.pbtxt: fields and enumerations of model_config.proto (2026), and their check."""

from typing import Any

from vouch.deployment.triton_text import Field, Word
from vouch.errors import Problem

# "*" repeats, "{}" is a map of strings to what follows; a capital is a message or an enumeration; Any is not looked at
MESSAGES = {
    "ModelConfig": {
        "name": "string",
        "platform": "string",
        "backend": "string",
        "runtime": "string",
        "version_policy": "VersionPolicy",
        "max_batch_size": "int",
        "input": "*Input",
        "output": "*Output",
        "batch_input": "*Any",
        "batch_output": "*Any",
        "optimization": "Any",
        "dynamic_batching": "DynamicBatching",
        "sequence_batching": "Any",
        "ensemble_scheduling": "Ensembling",
        "instance_group": "*InstanceGroup",
        "default_model_filename": "string",
        "cc_model_filenames": "{}string",
        "metric_tags": "{}string",
        "parameters": "{}Parameter",
        "model_warmup": "*Any",
        "model_operations": "Any",
        "model_transaction_policy": "TransactionPolicy",
        "model_repository_agents": "Any",
        "response_cache": "ResponseCache",
        "model_metrics": "Any",
    },
    "Input": {
        "name": "string",
        "data_type": "DataType",
        "format": "Format",
        "dims": "*int",
        "reshape": "Reshape",
        "is_shape_tensor": "bool",
        "allow_ragged_batch": "bool",
        "optional": "bool",
        "is_non_linear_format_io": "bool",
    },
    "Output": {
        "name": "string",
        "data_type": "DataType",
        "dims": "*int",
        "reshape": "Reshape",
        "label_filename": "string",
        "is_shape_tensor": "bool",
        "is_non_linear_format_io": "bool",
    },
    "Reshape": {"shape": "*int"},
    "VersionPolicy": {"latest": "Latest", "all": "All", "specific": "Specific"},
    "Latest": {"num_versions": "int"},
    "All": {},
    "Specific": {"versions": "*int"},
    "DynamicBatching": {
        "preferred_batch_size": "*int",
        "max_queue_delay_microseconds": "int",
        "preserve_ordering": "bool",
        "priority_levels": "int",
        "default_priority_level": "int",
        "default_queue_policy": "QueuePolicy",
        "priority_queue_policy": "*Any",
    },
    "QueuePolicy": {
        "timeout_action": "TimeoutAction",
        "default_timeout_microseconds": "int",
        "allow_timeout_override": "bool",
        "max_queue_size": "int",
    },
    "Ensembling": {"step": "*Step", "max_inflight_responses": "int"},
    "Step": {
        "model_name": "string",
        "model_version": "int",
        "input_map": "{}string",
        "output_map": "{}string",
        "model_namespace": "string",
    },
    "InstanceGroup": {
        "name": "string",
        "kind": "Kind",
        "count": "int",
        "rate_limiter": "Any",
        "gpus": "*int",
        "secondary_devices": "*Any",
        "profile": "*string",
        "passive": "bool",
        "host_policy": "string",
    },
    "Parameter": {"string_value": "string"},
    "TransactionPolicy": {"decoupled": "bool"},
    "ResponseCache": {"enable": "bool"},
}
ENUMS = {
    "DataType": {
        *("TYPE_BOOL", "TYPE_STRING", "TYPE_FP16", "TYPE_FP32", "TYPE_FP64", "TYPE_BF16"),
        *(f"TYPE_{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    },
    "Format": {"FORMAT_NONE", "FORMAT_NHWC", "FORMAT_NCHW"},
    "Kind": {"KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"},
    "TimeoutAction": {"REJECT", "DELAY"},
}
ONE_OF = {  # of these a message has one at the most
    "ModelConfig": ("dynamic_batching", "sequence_batching", "ensemble_scheduling"),
    "VersionPolicy": ("latest", "all", "specific"),
}
REMEDY = "mend config.pbtxt"


def checked(fields: tuple[Field, ...], where: str, kind: str = "ModelConfig") -> tuple[dict[str, Any], list[Problem]]:
    """Return a message's values by field, and every unknown field, wrong type, unknown word and field given twice.

    Repeated fields become lists, maps become dicts; a field that is wrong is left out.
    """
    known, values, problems = MESSAGES[kind], dict[str, Any](), list[Problem]()
    for field in fields:
        place = f"{where}:{field.line}: {field.name}"
        if field.name not in known:
            problems.append(Problem(place, f"a field of {kind}: {', '.join(sorted(known))}", field.name, REMEDY))
            continue
        wanted = known[field.name]
        value, found = _value(field, where, place, wanted.lstrip("*{}"), mapped=wanted.startswith("{}"))
        if field.name in values and wanted[0] not in "*{":
            found.append(Problem(place, "the field once", "it a second time", REMEDY))
        problems += found
        if not found:
            _add(values, field.name, value, wanted)
    rivals = [name for name in ONE_OF.get(kind, ()) if name in values]
    if len(rivals) > 1:
        problems.append(Problem(where, f"one of {', '.join(ONE_OF[kind])}", " and ".join(rivals), "remove all but one"))
    return values, problems


def _add(values: dict[str, Any], name: str, value: Any, wanted: str) -> None:
    if wanted.startswith("*"):
        values.setdefault(name, []).append(value)
    elif wanted.startswith("{}"):
        values.setdefault(name, {}).update(value)
    else:
        values[name] = value


def _value(field: Field, where: str, place: str, kind: str, *, mapped: bool) -> tuple[Any, list[Problem]]:
    if mapped:
        return _entry(field, where, place, kind)
    if kind == "Any":
        return field.value, []
    if kind in MESSAGES:
        if isinstance(field.value, tuple):
            return checked(field.value, where, kind)
        return None, [Problem(place, f"a message {kind}", repr(field.value), REMEDY)]
    if kind in ENUMS:
        fits = isinstance(field.value, Word) and field.value in ENUMS[kind]
        return field.value, [] if fits else [_wrong(place, f"one of {', '.join(sorted(ENUMS[kind]))}", field.value)]
    if kind == "bool":
        fits = isinstance(field.value, Word) and field.value in ("true", "false")
        return field.value == "true", [] if fits else [_wrong(place, "true or false", field.value)]
    right = {"string": type(field.value) is str, "int": type(field.value) is int}[kind]
    return field.value, [] if right else [_wrong(place, {"string": "a text in quotes"}.get(kind, kind), field.value)]


def _entry(field: Field, where: str, place: str, kind: str) -> tuple[Any, list[Problem]]:
    """Return one entry of a map: a message of `key` and `value`."""
    parts = {part.name: part for part in field.value} if isinstance(field.value, tuple) else {}
    if set(parts) != {"key", "value"} or type(parts["key"].value) is not str:
        return None, [Problem(place, 'a map\'s entry: { key: "..." value ... }', _shown(field.value), REMEDY)]
    value, problems = _value(parts["value"], where, f"{place}: {parts['key'].value}", kind, mapped=False)
    return {parts["key"].value: value}, problems


def _wrong(place: str, expected: str, got: object) -> Problem:
    return Problem(place, expected, _shown(got), REMEDY)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"a message of {', '.join(part.name for part in value) or 'nothing'}"
    return str(value) if isinstance(value, Word) else repr(value)
