"""Percent-encoding: sequences that are decoded exactly once, and sequences that are refused (RFC 3986 section 2.1)."""

from ..case import Case, accepted, get

RUN = "/api/v1/runs/"


def names(run: str):
    """Checks that the response names this run id."""
    def check(answers):
        assert answers[0].json()["detail"]["message"] == f"Run '{run}' not found"

    return check


def absent(name: str, path: str, run: str) -> Case:
    return accepted(f"run id {name}", get(target=RUN + path), 404, check=names(run))


def unrouted(answers):
    assert answers[0].json() == {"detail": "Not Found"}


# The server refuses ambiguous encodings. The message framing is certain, so the connection stays open.
BAD = {
    "a percent sign alone": "%", "one digit": "%2", "no digits": "%zz", "a digit and a letter": "%2g", "a plus": "%+2",
    "a space": "%%20", "a percent sign at the end": "a%", "one digit at the end": "a%4", "unicode escape": "%u002f",
    "a byte beyond UTF-8": "%ff", "Latin-1": "%e4", "an overlong slash": "%c0%af",
    "an overlong slash of three": "%e0%80%af",
    "an overlong dot": "%c0%ae", "an overlong NUL": "%c0%80", "a lone surrogate": "%ed%a0%80", "a cut sequence": "%c3",
    "beyond Unicode": "%f4%90%80%80", "a continuation alone": "%80",
}

CASES = [
    *(accepted(f"{name} in the path", get(target=RUN + text), 400) for name, text in BAD.items()),
    *(accepted(f"{name} in a query's value", get(target="/health?a=" + text), 400) for name, text in BAD.items()),
    accepted("a percent sign in a query's name", get(target="/health?%=a"), 400),
    accepted("a percent sign where nothing is", get(target="/%"), 400),
    accepted("escaped letters", get(target="/%68%65alth")),
    accepted("escaped letters in lower and upper case", get(target="/api/v1/%72u%6Es")),
    absent("with a slash", "a%2Fb", "a/b"),
    absent("with a slash in lower case", "a%2fb", "a/b"),
    absent("that is a slash", "%2F", "/"),
    absent("with a slash at its end", "a%2F", "a/"),
    absent("with NUL", "a%00b", "a\0b"),
    absent("with CR and LF", "a%0d%0aX-Split:%20b", "a\r\nX-Split: b"),
    absent("encoded twice", "%252F", "%2F"),
    absent("encoded three times", "%25252F", "%252F"),
    absent("of a percent sign", "%25", "%"),
    absent("of two dots", "..", ".."),
    absent("of two escaped dots", "%2e%2E", ".."),
    absent("with a question mark", "a%3Fb", "a?b"),
    absent("with a hash", "a%23b", "a#b"),
    absent("with a plus", "a+b", "a+b"),
    absent("with an escaped plus", "a%2Bb", "a+b"),
    absent("with an escaped space", "a%20b", "a b"),
    absent("in UTF-8", "%C3%A4%F0%9F%A6%8A", "ä\U0001f98a"),
    absent("with a combining sign", "a%CC%88", "a\u0308"),
    absent("with a backslash", "a%5Cb", "a\\b"),
    absent("with quotes", "%22%27", "\"'"),
    absent("with a semicolon", "a;b=c", "a;b=c"),
    absent("of 600 letters", "a" * 600, "a" * 600),
    *(accepted(f"path {path}", get(target=path), 404, check=unrouted)
      for path in ("/%2Fhealth", "/health%2F", "/health%00", "/health%20", "/health%0a", "/health;a", "/health/.",
                   "/./health", "/next/../health", "/%2e/health", "/%2e%2e/health", "/api%2Fv1%2Fruns", "/api/v1//runs",
                   "/api/v1/runs%3F", "/HEALTH", "/health%E2%80%8B", "/api/v1/runs/%2F/x")),
    *(accepted(f"query {query}", get(target="/health?" + query))
      for query in ("a=%00", "a=%0d%0aX:%20y", "a=%2525", "&&=&", "=", "a=b=c", "%61=b", "a=/../..", "a=;b",
      "a=" + "b" * 4000,
                    "&" * 4000)),
]
