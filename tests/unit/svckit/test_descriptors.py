"""Descriptors of messages are held once somebody asked for it."""

from b2bua.callcontrol.v1 import call_pb2 as record
from svckit.descriptors import hold


def test_a_held_field_is_the_same_object_at_each_look() -> None:
    hold(record.Call.DESCRIPTOR)
    fields = {id(field) for field in record.Call.DESCRIPTOR.fields}
    assert {id(field) for field in record.Call.DESCRIPTOR.fields} == fields


def test_what_a_message_contains_is_held_too() -> None:
    hold(record.Call.DESCRIPTOR)
    # Leg holds a message that holds messages; Call refers to it.
    leg = record.Leg.DESCRIPTOR.fields_by_name["route_set"]
    assert record.Leg.DESCRIPTOR.fields_by_name["route_set"] is leg
