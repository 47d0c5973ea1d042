"""The guard at work: real connections to receivers of this machine, and names that lead anywhere."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest
import trustme

from alerts.outbound import Exchange, Unanswered, client, exchange, network
from tests.alerts.receivers import Receiver, receiving, status, unused_port

HERE = [ip_network("127.0.0.0/8")]
Names = Callable[..., list[tuple[str, int]]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(status(200, b"well")) as running:
        yield running


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A function that has names lead to addresses, each look-up to the next; it returns what is looked up."""

    def lead(*answers: list[str]) -> list[tuple[str, int]]:
        asked: list[tuple[str, int]] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append((host, port))
            return answers[min(len(asked), len(answers)) - 1]

        monkeypatch.setattr(network, "resolve", resolve)
        return asked

    return lead


def post(url: str, *, allowed: list[object] = HERE, seconds: float = 5.0) -> client.Answer:  # type: ignore[assignment]
    return exchange(Exchange("POST", url, body=b"{}", seconds=seconds), allowed=allowed)  # type: ignore[arg-type]


def test_an_answer_is_read(receiver: Receiver) -> None:
    answer = post(receiver.url)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"well", "4")
    assert receiver.received[0].body == b"{}"
    assert receiver.received[0].headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_not_connected_to_however_it_is_written(
    host: str, scheme: str, receiver: Receiver
) -> None:
    with pytest.raises(Unanswered, match="no request may go"):
        post(f"{scheme}://{host}:{receiver.port}/hook", allowed=[])
    assert receiver.received == []


def test_a_public_name_that_leads_to_a_private_address_is_refused(receiver: Receiver, names: Names) -> None:
    names(["127.0.0.1"])
    with pytest.raises(Unanswered, match=r"hooks\.example leads to 127\.0\.0\.1"):
        post(f"https://hooks.example:{receiver.port}/hook", allowed=[])


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(receiver: Receiver, names: Names) -> None:
    asked = names(["127.0.0.1"], ["127.0.0.9"])
    answer = post(f"http://hooks.example:{receiver.port}/hook")
    assert answer.status == 200
    assert asked == [("hooks.example", receiver.port)]
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver, names: Names) -> None:
    names(["127.0.0.2", "127.0.0.1"])
    assert post(f"http://hooks.example:{receiver.port}/hook").status == 200


def test_redirections_are_answers_and_lead_nowhere(receiver: Receiver) -> None:
    receiver.then(status(302, b"", Location=f"http://127.0.0.1:{receiver.port}/elsewhere"))
    assert post(receiver.url).status == 302
    assert [one.path for one in receiver.received] == ["/hook"]


def test_plain_http_to_a_public_address_is_refused_before_it_is_connected_to(names: Names) -> None:
    names(["192.0.2.1"])
    with pytest.raises(Unanswered, match="no request may go"):
        post("http://hooks.example/hook", allowed=[])


def test_a_receiver_that_hangs_is_left_in_time(receiver: Receiver) -> None:
    receiver.then(receiver.hang)
    with pytest.raises(Unanswered, match=r"No answer within 0\.3 seconds"):
        post(receiver.url, seconds=0.3)


def test_a_receiver_that_trickles_is_left_in_time_though_it_never_falls_silent(receiver: Receiver) -> None:
    receiver.then(receiver.trickle)
    with pytest.raises(Unanswered, match=r"No answer within 0\.4 seconds"):
        post(receiver.url, seconds=0.4)


def test_a_large_answer_is_read_only_as_far_as_it_is_wanted(receiver: Receiver) -> None:
    receiver.then(status(200, b"x" * 5_000_000))
    asked = Exchange("POST", receiver.url, body=b"{}", most_bytes=1000)
    assert exchange(asked, allowed=HERE).body == b"x" * 1000


def test_nobody_listening_is_said() -> None:
    with pytest.raises(Unanswered, match="refused"):
        post(f"http://127.0.0.1:{unused_port()}/")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "https://", "https://exa mple", "x"]
)
def test_what_is_no_address_of_the_web_is_not_asked(url: str) -> None:
    with pytest.raises(Unanswered):
        post(url)


def test_a_name_that_does_not_exist_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fail)
    with pytest.raises(Unanswered, match=r"Nowhere\.example can't be resolved"):
        post("https://nowhere.example/")


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that requests trust, and no other."""
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    monkeypatch.setattr(client, "_trust", lambda: trust)
    return authority


def served_by(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_tls_goes_by_the_name_though_the_connection_goes_to_the_address(
    authority: trustme.CA, names: Names
) -> None:
    with receiving(context=served_by(authority, "hooks.example")) as secure:
        asked = names(["127.0.0.1"])
        assert post(f"https://hooks.example:{secure.port}/hook").status == 204
        assert (secure.names, asked) == (["hooks.example"], [("hooks.example", secure.port)])
        assert secure.received[0].headers["host"] == f"hooks.example:{secure.port}"


def test_a_certificate_of_another_name_is_refused(authority: trustme.CA, names: Names) -> None:
    with receiving(context=served_by(authority, "other.example")) as secure:
        names(["127.0.0.1"])
        with pytest.raises(Unanswered, match="certificate"):
            post(f"https://hooks.example:{secure.port}/hook")
        assert secure.received == []
