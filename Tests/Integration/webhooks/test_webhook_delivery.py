"""Each alert arrives at least once and in order or is counted as lost, and posts go on."""

import time

import pytest
from Support.clients.alerts import counts, entry, post, settled, titles
from Support.clients.metrics import metrics
from Support.clients.openwire import accept_steps
from Support.clients.runs import read
from Support.servers.receiver import OK, Receiver, answer


def test_alerts_arrive_in_their_order(start):
    with Receiver() as receiver:
        server = start(entry(receiver))
        names = [f"alert {number}" for number in range(50)]
        post(server, *names)
        assert titles(receiver.wait(50)) == names
        settled(server, delivered=50)
        assert len({message.delivery for message in receiver.messages}) == 50


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
def test_a_message_is_sent_again_with_the_same_id_and_body(start, status):
    with Receiver(lambda _, number, __: answer(status) if number < 3 else OK) as receiver:
        server = start(entry(receiver))
        post(server, "first", "second")
        messages = receiver.wait(5)
        assert titles(messages) == ["first"] * 4 + ["second"]
        assert len({(message.delivery, message.body) for message in messages[:4]}) == 1
        assert messages[4].delivery != messages[0].delivery
        settled(server, delivered=2, retries=3)
        line = server.wait_for_line("is not delivered yet")
        assert f"answered {status}" in line and "json 127.0.0.1" in line


def test_the_wait_that_a_receiver_asks_for_counts(start):
    times = []

    def behave(_, number, __):
        times.append(time.monotonic())
        return answer(429, "Retry-After: 2") if number == 0 else OK

    with Receiver(behave) as receiver:
        server = start(entry(receiver), options=["--alert-retry-max", 5])
        post(server, "t")
        receiver.wait(2)
        settled(server, delivered=1, retries=1)
    # Without the header the wait would be at most 0.05 s. It is a lower bound: a slow machine cannot break it.
    assert times[1] - times[0] >= 1.9


def test_the_wait_that_a_receiver_asks_for_has_a_limit(start):
    with Receiver(lambda _, number, __: answer(429, "Retry-After: 86400") if number == 0 else OK) as receiver:
        server = start(entry(receiver))
        post(server, "t")
        receiver.wait(2)
        settled(server, delivered=1, retries=1)


@pytest.mark.parametrize(("status", "remedy"), [
    (400, "check that its format"), (401, "check the credentials"), (404, "does not exist or was revoked"),
    (413, "check its address")])
def test_a_refused_message_is_lost_at_once(start, status, remedy):
    with Receiver(lambda _, number, __: answer(status) if number == 0 else OK) as receiver:
        server = start(entry(receiver))
        post(server, "first", "second")
        assert titles(receiver.wait(2)) == ["first", "second"]
        settled(server, delivered=1, refused=1)
        line = server.wait_for_line("an alert was lost")
        assert f"it answered {status}" in line and remedy in line and "s3cret" not in line


def test_a_redirect_is_not_followed(start):
    with Receiver() as other:
        location = f"Location: http://localhost:{other.port}/hook-s3cret"
        with Receiver(lambda *_: answer(307, location)) as receiver:
            server = start(entry(receiver))
            post(server, "t")
            settled(server, refused=1)
            assert "to the host localhost and redirects are not followed" in server.wait_for_line("an alert was lost")
        assert other.connections == 0
        assert "s3cret" not in server.output


def test_many_refused_messages_make_few_lines(start):
    with Receiver(lambda *_: answer(404)) as receiver:
        server = start(entry(receiver))
        post(server, *map(str, range(40)))
        settled(server, refused=40)
        server.end()
        lines = [line for line in server.lines if "an alert was lost" in line]
        assert len(lines) == 2 and "count=39" in lines[1] and "total=40" in lines[1]


def test_the_queue_of_a_stuck_receiver_loses_its_oldest_alerts(start):
    def behave(_, number, connection):
        if number == 0:
            connection.recv(1)  # Until the server gives up.
            return None
        return OK

    with Receiver(behave) as receiver:
        server = start(entry(receiver), options=["--alert-queue", 3, "--alert-timeout", 5])
        post(server, "in work")
        receiver.wait(1)
        post(server, *"abcdefgh")
        assert counts(server) == {"queue": 4, "queue_full": 5}
        assert "raise ALERT_QUEUE" in server.wait_for_line("the queue of its receiver is full")
        assert titles(receiver.wait(5)) == ["in work", "in work", "f", "g", "h"]
        settled(server, delivered=4, queue_full=5, retries=1)


def test_a_stuck_receiver_delays_neither_others_nor_posts(start):
    stuck = Receiver(lambda _, __, connection: connection.recv(1))
    with stuck, Receiver() as quick:
        server = start(entry(stuck), entry(quick), options=["--alert-timeout", 3600])
        names = [f"alert {number}" for number in range(20)]
        for number, name in enumerate(names):
            post(server, name)
            accept_steps(server, "r", {"step": number, "scalars": {"x": 1}})
        assert titles(quick.wait(20)) == names
        assert len(stuck.messages) == 1
        assert read(server, "r")["step_count"] == 20
        assert metrics(server)["steps_accepted_total"] == 20
        settled(server, delivered=20, queue=20)


def test_waiting_alerts_are_sent_while_the_server_stops(start):
    down = [True]
    with Receiver(lambda *_: answer(503, "Retry-After: 3600") if down[0] else OK) as receiver:
        server = start(entry(receiver), options=["--alert-retry-max", 3600, "--alert-shutdown-grace", 60])
        post(server, *"abcde")
        receiver.wait(1)
        server.wait_for_line("is not delivered yet")
        down[0] = False
        server.end()
        assert titles(receiver.messages) == ["a", *"abcde"]
        assert "were lost" not in server.output


def test_alerts_that_are_not_delivered_before_the_server_stops_are_logged(start):
    with Receiver(lambda _, __, connection: connection.recv(1)) as receiver:
        server = start(entry(receiver), options=["--alert-timeout", 3600, "--alert-shutdown-grace", 0.5])
        post(server, *"abcde")
        receiver.wait(1)
        server.end()
        line = server.wait_for_line("alerts were lost")
        assert "alerts=5" in line and "s3cret" not in line
