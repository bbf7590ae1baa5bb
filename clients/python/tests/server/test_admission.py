"""Wrong certificates and tokens: training goes on, and nothing is lost once the real server and the client agree."""

import pytest

import nnmonitor as nnm
from nnmonitor.cli import main

learning = pytest.importorskip("support.learning", reason="training needs PyTorch", exc_type=ImportError)
STEPS = 60


DISTRUSTED = {
    "wrong CA": ("server", {"ca": "other"}, "ca= or NN_MONITOR_CA"),
    "expired": ("expired", {"ca": "authority"}, "renew the server's certificate"),
    "wrong fingerprint": ("server", {"fingerprint": "other"}, "copy the new one from the server's banner"),
}


@pytest.mark.parametrize("fault", DISTRUSTED)
def test_server_that_is_not_trusted(request, serve, made, alone, until, log_lines, monkeypatch, fault):
    certificate, given, remedy = DISTRUSTED[fault]
    server = request.getfixturevalue("serve_expired")() if certificate == "expired" else serve(certificate)
    options = {
        name: str(made[of].certificate) if name == "ca" else made[of].fingerprint for name, of in given.items()}
    run = nnm.init(url=server.url, token=server.token, **options)
    assert learning.monitored(run, STEPS) == alone
    until(lambda: log_lines(remedy))
    run.finish()
    assert server.run(run.id) is None
    assert len(log_lines(remedy)) == 1
    until(lambda: not run._outlet.sender.alive)
    monkeypatch.setenv("NN_MONITOR_TOKEN", server.token)
    pin = server.banner_settings["NN_MONITOR_FINGERPRINT"]
    assert main(["sync", "--fingerprint", pin, str(run.directory)]) == 0
    learning.assert_whole(server, run, STEPS)


def test_certificate_that_is_renewed_while_training_goes_on(serve_expired, made, begin, alone, until, log_lines):
    server = serve_expired()
    run = begin(server)

    def disturb(step):
        if step == 20:
            until(lambda: log_lines("renew the server's certificate"))
            server.install(made["renewed"])
            server.reload()

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)


@pytest.mark.parametrize(("scopes", "sentence"), [
    (None, "set one with the scope ingest"), ("read", "the token needs the scope ingest")], ids=["401", "403"])
def test_token_that_the_server_refuses_until_it_is_entered(server, begin, alone, until, log_lines, scopes, sentence):
    entered = {"reader": (server.token, "ingest,read,admin")}
    if scopes:
        server.allow({**entered, "trainer": ("the-trainers-token-0123456789", scopes)})
        server.reload()
    run = begin(server, token="the-trainers-token-0123456789")

    def disturb(step):
        if step == 20:
            until(lambda: log_lines(sentence))
            assert server.steps(run.id) == {}
            server.allow({**entered, "trainer": ("the-trainers-token-0123456789", "ingest")})
            server.reload()

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)
    assert len(log_lines(sentence)) == 1
    assert not log_lines("the-trainers-token")


def test_too_many_wrong_tokens_are_slowed_and_pass(serve, begin, alone, until, log_lines):
    server = serve(auth_failure_limit=1)
    run = begin(server, token="the-trainers-token-0123456789")

    def disturb(step):
        if step == 20:
            until(lambda: log_lines("answers 429"))
            server.allow({"all": (server.token, "read"), "trainer": ("the-trainers-token-0123456789", "ingest")})
            server.reload()

    assert learning.monitored(run, STEPS, disturb) == alone
    run.finish()
    learning.assert_whole(server, run, STEPS)
