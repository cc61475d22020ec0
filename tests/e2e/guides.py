"""Guides of the documentation, read so that a test can follow them: files, commands, requests."""

import json
import re
import shlex
from dataclasses import dataclass
from urllib.parse import parse_qsl

BLOCK = re.compile(
    r"(?:`(?P<file>[a-z0-9-]+\.csv)`:\n\n)?```(?P<kind>csv|console|http)\n(?P<text>.*?)```",
    re.DOTALL,
)
PLACEHOLDER = re.compile(r"\$[A-Z][A-Z_]*")


@dataclass(frozen=True)
class Request:
    """A request as a guide shows it, with names after a `$` for what a reader has."""

    method: str
    service: str
    path: str
    if_match: bool
    body: object

    @classmethod
    def read(cls, text):
        head, _, body = text.partition("\n\n")
        first, *headers = head.splitlines()
        method, url = first.split()
        service, path = re.fullmatch(r"\$([A-Z]+)_URL(/.*)", url).groups()
        assert headers in ([], ["If-Match: $VERSION"]), headers
        return cls(method, service.lower(), path, bool(headers), json.loads(body or "null"))

    def path_with(self, names):
        return PLACEHOLDER.sub(lambda found: str(names[found[0][1:].lower()]), self.path)

    def body_with(self, names):
        return filled(self.body, names)


@dataclass(frozen=True)
class Section:
    """A section of a guide: its files by name, its commands, its requests."""

    title: str
    files: dict[str, str]
    commands: list[list[str]]
    requests: list[Request]


def curl_requests(path, names):
    """Method, service, path, query and body of each `curl` of a document, as a shell would run it:
    with what `gridtally env` prints, and `names` for what a reader has."""
    blocks = (block for block in BLOCK.finditer(path.read_text()) if block["kind"] == "console")
    commands = [command for block in blocks for command in block["text"].split("$ curl ")[1:]]
    assert commands, path
    for command in commands:
        words = iter(shlex.split(command.replace("\\\n", " ")))
        method, url, body, headers = None, None, None, []
        for word in words:
            match word:
                case "-X":
                    method = next(words)
                case "-H":
                    headers.append(next(words))
                case "--json":  # as `-d`, and says that it is JSON
                    body = json.loads(PLACEHOLDER.sub(lambda own: names[own[0][1:]], next(words)))
                case "-s":
                    pass
                case _:
                    assert url is None, command
                    url = word
        assert headers == ["Authorization: Bearer $GRIDTALLY_API_KEY"], command
        service, rest = re.fullmatch(r"\$([A-Z]+)_URL(/.*)", url).groups()
        rest = PLACEHOLDER.sub(lambda own: names[own[0][1:]], rest)
        where, _, query = rest.partition("?")
        method = method or ("POST" if body else "GET")
        yield method, service.lower(), where, dict(parse_qsl(query)), body


def filled(value, names):
    """JSON in which names stand for values: of any kind where a text is but a name."""
    match value:
        case dict():
            return {key: filled(own, names) for key, own in value.items()}
        case list():
            return [filled(own, names) for own in value]
        case str() if PLACEHOLDER.fullmatch(value):
            return names[value[1:].lower()]
        case str():
            return PLACEHOLDER.sub(lambda found: str(names[found[0][1:].lower()]), value)
        case _:
            return value


def sections_of(path):
    """The numbered sections of a guide in their order."""
    _, *texts = re.split(r"^## \d+ ", path.read_text(), flags=re.MULTILINE)
    return [_section(text) for text in texts]


def _section(text):
    title, _, rest = text.partition("\n")
    files, commands, requests = {}, [], []
    for block in BLOCK.finditer(rest):
        match block["kind"]:
            case "csv":
                files[block["file"]] = block["text"]
            case "console":
                shown = re.findall(r"^\$ gridtally (.*)$", block["text"], re.MULTILINE)
                commands += [shlex.split(command) for command in shown]
            case "http":
                requests.append(Request.read(block["text"]))
    return Section(title, files, commands, requests)
