import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format

from deployment.bundles import build
from vouch.deployment.triton import deploy_triton
from vouch.deployment.triton_schema import checked
from vouch.deployment.triton_text import Word, dumps, parse
from vouch.errors import BundleError
from vouch.release.bundle import read

FORMS = """
# a comment, and every form of a field
name: "a\\"b" 'c'  # neighbours are one text
max_batch_size: 0x10
dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 };
input < name: 'x' data_type: TYPE_FP32 dims: 3 dims: -1 >,
output [ { name: "y" }, { name: "z" } ]
response_cache: { enable: true }
"""


def test_every_form_of_a_field_is_read():
    values, problems = checked(parse(FORMS, "c"), "c")
    assert problems == []
    assert values == {
        "name": 'a"bc',
        "max_batch_size": 16,
        "dynamic_batching": {"preferred_batch_size": [4, 8], "max_queue_delay_microseconds": 100},
        "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": [3, -1]}],
        "output": [{"name": "y"}, {"name": "z"}],
        "response_cache": {"enable": True},
    }


@pytest.mark.parametrize(
    ("text", "line", "got"),
    [
        ('name: "a"\ninput {\n  name: "x"', 3, "the end"),
        ("name = 1", 1, "= 1"),
        ("dims: [ 1 2 ]", 1, "2"),
        ("max_batch_size 4", 1, "4"),
        ("max_batch_size:\n}", 2, "}"),
        ('name: "a\n"', 1, '"a'),
        ('"name": 1', 1, '"name"'),
    ],
)
def test_what_is_no_text_format_is_refused_with_its_line(text, line, got):
    with pytest.raises(BundleError) as error:
        parse(text, "config.pbtxt")
    [problem] = error.value.problems
    assert (problem.where, problem.got) == (f"config.pbtxt:{line}", got)


def nested(depth, opening="{", closing="}"):
    return f"a {opening} " * depth + f"{closing} " * depth


def test_messages_in_messages_are_read_to_a_depth_that_python_reaches_and_refused_beyond():
    fields = parse(nested(100), "c")
    for _ in range(99):
        [field] = fields
        fields = field.value
    assert fields[0].value == ()
    for text in (nested(101), nested(5000), nested(5000, "<", ">"), nested(5000)[:20000], "a: [" + nested(5000) + "]"):
        with pytest.raises(BundleError, match="at most 100 messages within each other"):
            parse(text, "c")


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "1." + "0" * 5000])
def test_a_number_of_thousands_of_digits_is_refused_with_its_line(number):
    with pytest.raises(BundleError, match=r"c:2: expected a number of at most 64 characters, got one of 500\d"):
        parse(f"a: 1\nb: {number}", "c")


def test_what_is_written_is_read_back():
    message = {"a": 'back\\slash "quote"\n', "b": [1, -2], "c": [{"d": Word("KIND_CPU")}, {"d": True}], "e": {}}
    fields = parse(dumps(message), "")
    assert [field.name for field in fields] == ["a", "b", "b", "c", "c", "e"]
    assert [field.value for field in fields[:3]] == [message["a"], 1, -2]
    assert [part.value for field in fields[3:5] for part in field.value] == ["KIND_CPU", "true"]
    assert isinstance(fields[3].value[0].value, Word)
    assert fields[5].value == ()


OURS = {  # as model_config.proto declares them, for another parser
    "Tensor": {"name": "string", "data_type": "TYPE", "dims": "*int32", "label_filename": "string"},
    "Specific": {"versions": "*int32"},
    "VersionPolicy": {"specific": "Specific"},
    "Batching": {"max_queue_delay_microseconds": "int32"},
    "Group": {"kind": "KIND", "count": "int32"},
    "Pair": {"key": "string", "value": "string"},
    "Step": {"model_name": "string", "model_version": "int32", "input_map": "*Pair", "output_map": "*Pair"},
    "Ensembling": {"step": "*Step"},
    "Model": {
        **dict.fromkeys(("name", "platform", "backend"), "string"),
        **{"max_batch_size": "int32", "version_policy": "VersionPolicy", "input": "*Tensor", "output": "*Tensor"},
        **{"instance_group": "*Group", "dynamic_batching": "Batching", "ensemble_scheduling": "Ensembling"},
    },
}
WORDS = {"TYPE": ["TYPE_INVALID", "TYPE_BOOL", "TYPE_INT32", "TYPE_FP32", "TYPE_FP64", "TYPE_STRING"]}
WORDS["KIND"] = ["KIND_AUTO", "KIND_GPU", "KIND_CPU"]


def protobuf_class():
    file = descriptor_pb2.FileDescriptorProto(name="m.proto", syntax="proto3")
    for name, words in WORDS.items():
        enum = file.enum_type.add(name=name)
        for number, word in enumerate(words):
            enum.value.add(name=word, number=number)
    kinds = {"string": (9, None), "int32": (5, None)} | {name: (14, name) for name in WORDS}
    for name, fields in OURS.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            code, named = kinds.get(kind.lstrip("*"), (11, kind.lstrip("*")))
            message.field.add(
                name=field, number=number, type=code, type_name=named, label=3 if kind.startswith("*") else 1
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Model"))


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_protobufs_own_parser_reads_what_we_write_as_we_do(tmp_path, task):
    ready = build(tmp_path / "b", task)
    deploy_triton(read(tmp_path / "b"), ready, tmp_path / "r", max_batch=4, delay_us=100)
    model = protobuf_class()
    for path in (tmp_path / "r").glob("*/config.pbtxt"):
        text = path.read_text()
        theirs = json_format.MessageToDict(text_format.Parse(text, model()), preserving_proto_field_name=True)
        for step in theirs.get("ensemble_scheduling", {}).get("step", []):
            for side in ("input_map", "output_map"):
                step[side] = {pair["key"]: pair["value"] for pair in step[side]}
        assert checked(parse(text, ""), "") == (theirs, [])
