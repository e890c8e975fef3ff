from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from executor_works import job

from nas.executors.channel import Channel, Inbox, Message, encode, job_from_dict, job_to_dict, messages_from


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs:
        yield channel, theirs
    channel.close()


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_messages_survive_any_cut(size: int) -> None:
    messages: list[Message] = [{"kind": "a", "n": 1}, {}, {"text": "ä" * 50}]
    stream = b"".join(encode(message) for message in messages)
    inbox = Inbox()
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [message for piece in pieces for message in inbox.feed(piece)] == messages


def test_a_job_survives_the_way() -> None:
    sent = job("a", "sleep", nested={"list": [1, 2.5, None, True]})
    (message,) = Inbox().feed(encode(job_to_dict(sent)))
    assert job_from_dict(message) == sent


def test_messages_end_with_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(encode({"n": 1}) + encode({"n": 2}) + b"\0")
        theirs.close()
        assert list(messages_from(ours)) == [{"n": 1}, {"n": 2}]


def test_half_a_message_blocks_nobody(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    whole = encode({"n": 1})
    theirs.sendall(whole + whole[:5])
    assert list(channel.receive()) == [{"n": 1}]
    assert not channel.ended
    theirs.close()
    assert list(channel.receive()) == []
    assert channel.ended


def test_a_full_socket_blocks_nobody(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    sent = {"text": "x" * 5_000_000}
    channel.send(encode(sent))
    assert channel.is_sending
    inbox = Inbox()
    received: list[Message] = []
    while channel.is_sending:
        received += inbox.feed(theirs.recv(1 << 20))
        channel.flush()
    while not received:
        received += inbox.feed(theirs.recv(1 << 20))
    assert received == [sent]


def test_a_closed_end_is_seen_by_reading_not_by_sending(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    channel.send(encode({"unread": True}))
    theirs.sendall(encode({"last": "words"}))
    theirs.close()
    channel.send(encode({"too": "late"}))
    assert not channel.is_sending
    assert list(channel.receive()) == [{"last": "words"}]
    assert channel.ended
