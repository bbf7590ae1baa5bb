"""Paths to static files: no spelling of a path leads out of the folder."""

from Support.wire.raw import request

from ..case import Case, accepted, get, refused

# The folder contains letters.txt, css/base.css and big.txt. Its parent contains secret.txt.
UP = "../secret.txt"


def no_secret(answers):
    for answer in answers:
        assert b"the secret" not in answer.body and b"root:" not in answer.body


def absent(name: str, path: str, status: int = 404) -> Case:
    return accepted(f"{name}: {path[:60]}", get(target="/static/" + path), status, check=no_secret)


PATHS = {
    "two dots": UP, "two dots after a folder": "css/../../secret.txt", "two dots and back": "../static/letters.txt",
    "escaped dots": "%2e%2e/secret.txt", "one escaped dot": ".%2e/secret.txt", "escaped slash": "..%2fsecret.txt",
    "all escaped": "%2e%2e%2fsecret.txt", "escaped slash after a folder": "css%2f..%2f..%2fsecret.txt",
    "encoded twice": "%252e%252e%252fsecret.txt", "encoded three times": "%25252e%25252e/secret.txt",
    "escaped backslash": "..%5csecret.txt", "escaped backslash in capitals": "..%5Csecret.txt",
    "backslash encoded twice": "..%255csecret.txt", "many": "../" * 40 + "etc/passwd", "four dots": "....//secret.txt",
    "three dots": ".../secret.txt", "absolute": "/etc/passwd", "escaped absolute": "%2fetc%2fpasswd",
    "three slashes": "//etc/passwd", "parameters": ";/../secret.txt", "parameters behind dots": "..;/secret.txt",
    "parameters behind the file": "letters.txt;a=b", "NUL behind the file": "letters.txt%00", "only NUL": "%00",
    "NUL and another ending": "letters.txt%00.css", "NUL in dots": "..%00/secret.txt", "one dot": ".",
    "one escaped dot alone": "%2e", "dots alone": "..", "dots and a slash": "../", "dot segment": "./letters.txt",
    "dot segment inside": "css/./base.css", "dots inside": "css/../letters.txt", "two slashes inside": "css//base.css",
    "folder": "css", "hidden file": ".hidden", "hidden folder": ".git/config",
    "other case": "LETTERS.TXT", "space behind": "letters.txt%20", "dot behind": "letters.txt.",
    "stream of another system": "letters.txt::$DATA", "tilde": "~/.bashrc", "drive": "C:/secret.txt",
    "escaped question mark": "letters.txt%3f", "escaped hash": "letters.txt%23", "newline": "letters.txt%0a",
    "fullwidth dots": "%ef%bc%8e%ef%bc%8e/secret.txt",
    "division slash": "..%e2%88%95secret.txt", "proc": "%2fproc%2fself%2fenviron",
}

BAD = {"overlong dots": "%c0%ae%c0%ae/secret.txt", "overlong slash": "..%c0%afsecret.txt",
       "no UTF-8": "%ff%fe", "cut escape": "..%2"}

CASES = [
    *(absent(name, path) for name, path in PATHS.items()),
    *(absent(name, path, 400) for name, path in BAD.items()),
    accepted("slash behind a file", get(target="/static/letters.txt/"), 307),
    accepted("slash behind a folder", get(target="/static/css/"), 404),
    accepted("the folder itself", get(target="/static/"), 404),
    accepted("the folder without its slash", get(target="/static"), 404),
    accepted("two dots at the root", get(target="/../secret.txt"), 404, check=no_secret),
    accepted("dots from the root", get(target="/../../../../../../etc/passwd"), 404, check=no_secret),
    accepted("escaped dots at the root", get(target="/%2e%2e/secret.txt"), 404, check=no_secret),
    accepted("dots in absolute form", request("{scheme}://localhost/static/../secret.txt"), 404, check=no_secret),
    refused("backslash", get(target="/static/..\\secret.txt"), check=no_secret),
    refused("backslash for every slash", get(target="\\static\\..\\secret.txt"), check=no_secret),
    refused("raw NUL", get(target="/static/letters.txt\0.css"), check=no_secret),
    accepted("file", get(target="/static/letters.txt")),
    accepted("file with a query", get(target="/static/letters.txt?../secret.txt")),
    accepted("file with escaped letters", get(target="/%73tatic/l%65tters.txt")),
    accepted("file in a folder", get(target="/static/css/base.css")),
    accepted("escaped slash before a file", get(target="/static/css%2Fbase.css"), 404),
    accepted("escaped slash behind the folder", get(target="/static%2Fletters.txt"), 404),
    accepted("escaped slash before a slash at the end", get(target="/static/css%2Fbase.css/"), 404),
    accepted("POST to a file", request("/static/letters.txt", "POST"), 405),
    accepted("PUT of a file", request("/static/letters.txt", "PUT", body=b"hello"), 405),
    accepted("DELETE of a file", request("/static/letters.txt", "DELETE"), 405),
    accepted("PUT of a new file", request("/static/new.txt", "PUT", body=b"hello"), 404),
]
