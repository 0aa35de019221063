"""proto/ keeps the rules of the house, and libs/api is what proto/ generates."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2 as d
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
PROTO = ROOT / "proto"

# Field numbers of descriptor.proto, of which the paths of source locations consist.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_MESSAGE, _MESSAGE_ENUM = 2, 3, 4
_ENUM_VALUE, _SERVICE_METHOD = 2, 2

Place = tuple[int, ...]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[d.FileDescriptorProto]:
    target = tmp_path_factory.mktemp("proto") / "all.pb"
    names = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    arguments = ["protoc", f"-I{PROTO}", "--include_source_info", f"--descriptor_set_out={target}", *names]
    assert protoc.main(arguments) == 0
    return list(d.FileDescriptorSet.FromString(target.read_bytes()).file)


def enums(file: d.FileDescriptorProto) -> Iterator[tuple[Place, d.EnumDescriptorProto]]:
    """All enums with their paths, nested ones included."""
    for index, enum in enumerate(file.enum_type):
        yield (_FILE_ENUM, index), enum
    for path, message in messages(file):
        for index, enum in enumerate(message.enum_type):
            yield (*path, _MESSAGE_ENUM, index), enum


def messages(file: d.FileDescriptorProto) -> Iterator[tuple[Place, d.DescriptorProto]]:
    """All messages with their paths, nested ones included, entries of maps not."""

    def below(path: Place, message: d.DescriptorProto) -> Iterator[tuple[Place, d.DescriptorProto]]:
        if message.options.map_entry:
            return
        yield path, message
        for index, nested in enumerate(message.nested_type):
            yield from below((*path, _MESSAGE_MESSAGE, index), nested)

    for index, message in enumerate(file.message_type):
        yield from below((_FILE_MESSAGE, index), message)


def elements(file: d.FileDescriptorProto) -> Iterator[tuple[Place, str]]:
    """Everything that a reader may ask about, with its path."""
    for path, message in messages(file):
        yield path, message.name
        for index, field in enumerate(message.field):
            yield (*path, _MESSAGE_FIELD, index), f"{message.name}.{field.name}"
    for path, enum in enums(file):
        yield path, enum.name
        for index, value in enumerate(enum.value):
            yield (*path, _ENUM_VALUE, index), value.name
    for number, service in enumerate(file.service):
        yield (_FILE_SERVICE, number), service.name
        for index, method in enumerate(service.method):
            yield (_FILE_SERVICE, number, _SERVICE_METHOD, index), f"{service.name}.{method.name}"


def shouting(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def test_packages_are_folders_with_a_version(files: list[d.FileDescriptorProto]) -> None:
    for file in files:
        assert file.package == str(Path(file.name).parent).replace("/", ".")
        assert re.fullmatch(r"b2bua\.[a-z]+\.v[0-9]+", file.package)


def test_everything_has_a_comment(files: list[d.FileDescriptorProto]) -> None:
    silent = []
    for file in files:
        told = {
            tuple(place.path)
            for place in file.source_code_info.location
            if place.leading_comments or place.trailing_comments
        }
        silent += [f"{file.name}: {name}" for path, name in elements(file) if path not in told]
    assert silent == []


def test_enums_start_unspecified_and_carry_their_name(files: list[d.FileDescriptorProto]) -> None:
    for file in files:
        for _, enum in enums(file):
            prefix = shouting(enum.name)
            assert (enum.value[0].name, enum.value[0].number) == (f"{prefix}_UNSPECIFIED", 0)
            assert all(value.name.startswith(f"{prefix}_") for value in enum.value)


def test_services_and_methods_are_named_alike(files: list[d.FileDescriptorProto]) -> None:
    for file in files:
        for service in file.service:
            assert service.name.endswith("Service")
            for method in service.method:
                request = method.input_type.rpartition(".")[2]
                response = method.output_type.rpartition(".")[2]
                assert (request, response) == (f"{method.name}Request", f"{method.name}Response")


def test_fields_are_snake_case(files: list[d.FileDescriptorProto]) -> None:
    for file in files:
        for _, message in messages(file):
            for field in message.field:
                assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", field.name), (
                    f"{message.name}.{field.name}"
                )


def test_the_committed_code_is_what_is_generated() -> None:
    script = ROOT / "scripts" / "generate_api.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
