"""Certificates, fingerprints and tokens."""

import os

import pytest

import nnmonitor as nnm
from nnmonitor.cli import main
from nnmonitor.delivery.trust import colons, fingerprint_from


def log_some(run):
    for step in range(5):
        run.log({"loss": 1.0}, step=step)


def arguments(made, way):
    return {
        "ca": {"ca": str(made["authority"].certificate)},
        "server's own as ca": {"ca": str(made["server"].certificate)},
        "fingerprint": {"fingerprint": colons(made["server"].fingerprint)},
        "both": {"ca": str(made["authority"].certificate), "fingerprint": made["server"].fingerprint},
    }[way]


@pytest.mark.parametrize("way", ["ca", "fingerprint", "both"])
def test_trusted_server_gets_everything(secure, made, way):
    front = secure()
    run = nnm.init(url=front.url, **arguments(made, way))
    log_some(run)
    run.finish()
    assert sorted(front.steps(run.id)) == list(range(5))


def test_settings_come_from_the_environment(secure, made, monkeypatch):
    front = secure()
    monkeypatch.setenv("NN_MONITOR_URL", front.url)
    monkeypatch.setenv("NN_MONITOR_FINGERPRINT", colons(made["server"].fingerprint))
    monkeypatch.setenv("NN_MONITOR_TOKEN", "from-the-environment")
    monkeypatch.setenv("NN_MONITOR_RUN_ID", "chosen")
    run = nnm.init()
    log_some(run)
    run.finish()
    assert sorted(front.steps("chosen")) == list(range(5))
    assert {request.headers["authorization"] for request in front.requests} == {"Bearer from-the-environment"}


DISTRUSTED = [
    ("server", {}, "ca= or NN_MONITOR_CA"),
    ("server", {"ca": "other"}, "ca= or NN_MONITOR_CA"),
    ("expired", {"ca": "authority"}, "renew the server's certificate"),
    ("elsewhere", {"ca": "authority"}, "use a name that the certificate contains"),
    ("renewed", {"fingerprint": "server"}, "copy the new one from the server's banner"),
    ("renewed", {"fingerprint": "server", "ca": "authority"}, "copy the new one from the server's banner"),
]


@pytest.mark.parametrize(("certificate", "given", "remedy"), DISTRUSTED)
def test_server_that_is_not_trusted_sees_nothing_and_it_is_said_once(
        secure, made, until, log_lines, certificate, given, remedy):
    front = secure(certificate)
    options = {
        name: str(made[of].certificate) if name == "ca" else made[of].fingerprint for name, of in given.items()}
    run = nnm.init(url=front.url, token="secret-token", **options)
    log_some(run)
    until(lambda: log_lines(remedy))
    run.finish()
    assert front.requests == []
    assert len(log_lines(remedy)) == 1
    assert not log_lines("secret-token")
    # What was kept goes out once the server is trusted.
    pin = made[certificate].fingerprint
    until(lambda: not run._outlet.sender.alive)
    assert main(["sync", "--fingerprint", pin, str(run.directory)]) == 0
    assert sorted(front.steps(run.id)) == list(range(5))


def test_plain_server_behind_an_https_address_is_explained(front, until, log_lines):
    run = nnm.init(url=front.url.replace("http", "https"), exit_timeout=0)
    until(lambda: log_lines("try http://"))
    run.finish()


def test_token_of_a_private_file_is_used(front, tmp_path):
    file = tmp_path / "token"
    file.write_text("from-a-file\n")
    file.chmod(0o600)
    run = nnm.init(url=front.url, token_file=str(file))
    run.finish()
    assert {request.headers["authorization"] for request in front.requests} == {"Bearer from-a-file"}


def test_token_of_the_users_configuration_is_found(front, tmp_path):
    file = tmp_path / "config" / "nnmonitor" / "token"
    file.parent.mkdir(parents=True)
    file.write_text("of-the-user")
    file.chmod(0o600)
    nnm.init(url=front.url).finish()
    assert {request.headers["authorization"] for request in front.requests} == {"Bearer of-the-user"}


def test_token_that_others_can_read_is_not_used(front, tmp_path, log_lines):
    file = tmp_path / "token"
    file.write_text("secret-token")
    file.chmod(0o640)
    run = nnm.init(url=front.url, token_file=str(file))
    log_some(run)
    run.finish()
    assert log_lines("chmod 600") and not log_lines("secret-token")
    assert front.requests == []
    with pytest.raises(nnm.SettingError, match="chmod 600"):
        nnm.init(url=front.url, token_file=str(file), strict=True)


def test_token_is_in_no_file_and_no_text(front, tmp_path, log_lines, monkeypatch):
    monkeypatch.setenv("NN_MONITOR_TOKEN", "secret-token")
    front.fault(100, status=401, body={})
    run = nnm.init(url=front.url)
    log_some(run)
    run.finish()
    assert "secret-token" not in repr(run) + repr(run._settings) + str(log_lines())
    for folder, _, names in os.walk(tmp_path / "spools"):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert b"secret-token" not in file.read()


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Evil: 1", "", "ä"])
def test_token_with_characters_that_no_token_has_is_refused_without_showing_it(tmp_path, token):
    file = tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)
    with pytest.raises(nnm.SettingError, match="cannot contain") as error:
        nnm.init(token_file=str(file), strict=True)
    assert len(token) < 2 or token not in str(error.value)


@pytest.mark.parametrize("spelling", ["{}", "SHA256:{}", "sha-256 {}", "SHA256 Fingerprint={}"])
def test_fingerprint_may_be_spelled_as_tools_print_it(spelling):
    digits = "0123456789abcdef" * 4
    assert fingerprint_from(spelling.format(digits)) == digits
    assert fingerprint_from(spelling.format(colons(digits))) == digits


@pytest.mark.parametrize(("argument", "value", "message"), [
    ("url", "localhost:8000", "begin with http://"), ("url", "ftp://a", "begin with http://"),
    ("url", "http://a:b", "is not a valid address"), ("ca", "/nowhere.pem", "cannot be used"),
    ("fingerprint", "12:34", "64 hexadecimal digits"), ("exit_timeout", -1, "exit_timeout"),
    ("spool_bytes", 10, "at least"), ("precision", 0, "significant digits"), ("mode", "on", "one of"),
    ("id", "..", "not a valid run id"), ("id", "a\nb", "not a valid run id"), ("id", "x" * 513, "not a valid run id"),
])
def test_setting_that_is_not_usable_is_explained_and_training_goes_on(argument, value, message, log_lines):
    options = {"url": "https://localhost:1", "exit_timeout": 0, argument: value}
    with pytest.raises(nnm.SettingError, match=message):
        nnm.init(strict=True, **options)
    run = nnm.init(**options)
    run.log({"loss": 1.0}, step=0)
    run.finish()
    assert len(log_lines(message)) == 1
    assert "loss" in "".join(path.read_text() for path in run.directory.glob("*.jsonl"))


def test_password_in_an_address_is_not_repeated():
    with pytest.raises(nnm.SettingError) as error:
        nnm.init(url="user:hunter2@host:1", strict=True)
    assert "hunter2" not in str(error.value)
