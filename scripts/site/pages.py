"""What the documentation site has beside docs/: READMEs of packages, and the reference.

Hooks of MkDocs. Links between documents are those of the repository; here they are turned to where
the site has the document, and a link to code, which the site has not, becomes plain text.
"""

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from references import api_pages, command_page, event_page

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
ELSEWHERE = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc=["']?(?:https?:)?//[^>]*>""")
STYLES = re.compile(r"""<link[^>]*rel=["']?(?:stylesheet|preconnect|icon)[^>]*https?://[^>]*>""")
DOCUMENTS = {
    **{path.name: path for path in ROOT.glob("[A-Z]*.md") if path.name != "README.md"},
    **{
        f"{path.parent.parent.name}/{path.parent.name}.md": path
        for pattern in ("services/*/README.md", "libs/*/README.md", "tests/benchmarks/README.md")
        for path in ROOT.glob(pattern)
    },
}
"""Documents outside docs/, by where the site has them."""
_PAGES = {path.relative_to(ROOT).as_posix(): uri for uri, path in DOCUMENTS.items()}
_ORIGINS = {uri: path for path, uri in _PAGES.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents outside docs/, and the generated reference; expand patterns of the nav."""
    pages = {uri: path.read_text() for uri, path in DOCUMENTS.items()}
    pages |= api_pages(ROOT / "docs/openapi")
    pages |= {"reference/events.md": event_page(ROOT / "docs/asyncapi.yaml")}
    pages |= {"reference/command.md": command_page()}
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))
    named = set(re.findall(r"[^\s'\"]+\.md", repr(config.nav)))
    rest = sorted({file.src_uri for file in files.documentation_pages()} - named)
    config.nav = _expanded(config.nav, rest)
    return files


def _expanded(nav: Any, rest: list[str]) -> Any:
    """The navigation with `folder/*.md` written out: all of a folder that it does not name."""
    if isinstance(nav, dict):
        return {title: _expanded(part, rest) for title, part in nav.items()}
    if not isinstance(nav, list):
        return nav
    listed: list[Any] = []
    for entry in nav:
        if isinstance(entry, str) and entry.endswith("/*.md"):
            listed += [uri for uri in rest if uri.startswith(entry.removesuffix("*.md"))]
        else:
            listed.append(_expanded(entry, rest))
    return listed


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Turn the links of a document to where the site has what they name."""
    here = page.file.src_uri
    origin = _ORIGINS.get(here, f"docs/{here}")

    def turned(match: re.Match[str]) -> str:
        mark, text, link, anchor = match.groups()
        target = normpath(f"{Path(origin).parent.as_posix()}/{link}")
        uri = _PAGES.get(target, target.removeprefix("docs/"))
        if files.get_file_from_path(uri) is None:  # code, or a dead link, which MkDocs reports
            return text if (ROOT / target).exists() else match[0]
        return f"{mark}[{text}]({relpath(uri, Path(here).parent.as_posix())}{anchor or ''})"

    return LINK.sub(turned, markdown)


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Refuse a page that asks something of another host when it is read."""
    asked = ELSEWHERE.findall(output) + STYLES.findall(output)
    if asked:
        raise PluginError(f"{page.file.src_uri} asks other hosts: {asked}")
    return output
