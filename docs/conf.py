"""The documentation site: the pages as they are on GitHub, and docs/reference/, which is generated."""

import re
from pathlib import Path

from sphinx.application import Sphinx

from lm_eval_ext import __version__

project, author, release = "lm-eval-ext", "The lm-eval-ext authors", __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinxcontrib.mermaid"]
root_doc = "README"
include_patterns = [
    "*.md", "docs/*.md", "docs/*/*.md", "examples/README.md", "examples/*.ipynb", "benchmarks/results/*.md",
]  # fmt: skip
exclude_patterns = [".*", "out", "dist", "tests", "**/__pycache__"]
html_theme, html_title, html_show_copyright = "furo", f"lm-eval-ext {release}", False
default_role = "code"
smartquotes = False  # they make -- a dash
autodoc_typehints = "description"
napoleon_use_ivar = True
autodoc_member_order = "bysource"
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
suppress_warnings = ["misc.highlighting_failure"]

PAGES = Path(__file__).parent
_CAPTION = re.compile(r"^## (.+)$", re.M)
_LINK = re.compile(r"^- \[[^\]]+\]\(([^)#:]+)\.(?:md|ipynb)\)", re.M)


def navigation(pages: str) -> str:
    """The lists of docs/index.md as tables of contents, one for each heading, with the generated pages."""
    _, *parts = _CAPTION.split(pages)
    made = ["```{toctree}\n:hidden:\n\ndocs/index\n```"]
    for caption, text in zip(parts[::2], parts[1::2], strict=True):
        found = [str(Path("docs", link)) for link in _LINK.findall(text)]
        links = [link.replace("docs/../", "") for link in found]
        if caption == "Reference":
            links += [f"docs/reference/{path.stem}" for path in sorted((PAGES / "reference").glob("*.md"))]
        made.append("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *links, "```"]))
    return "\n\n".join(made)


def _add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    if name == root_doc:
        source[0] += "\n\n" + navigation((PAGES / "index.md").read_text("utf-8"))


def setup(app: Sphinx) -> None:
    app.connect("source-read", _add_navigation)
