"""`lm-eval-ext view` in a real browser: keys, phone, dark, hostile texts, no request to elsewhere."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from lm_eval_ext.view.app import server
from tests.analysis.logged import write_run
from tests.view.looked_at import hostile_run, opened

pytestmark = [pytest.mark.unit, pytest.mark.full]

PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(view, address) of a folder with two runs of hostile texts."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("runs/a", "runs/b_with_a_long_name_and_probability"):
        hostile_run(folder / name)
    write_run(folder / "runs" / "c", [True, False, None] * 20, task="math_qwen_counting_and_probability")
    view = opened(folder / "runs", folder / "index")
    listening = server(view, 0)
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    yield view, f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def visit(browser, served):
    """Opens a page; on leaving, a request to another host, a message or an error fails the test."""

    @contextmanager
    def open_page(path="/", size=DESK, scheme="light"):
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, color_scheme=scheme)
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(served[1] + path)
        yield page
        assert page.evaluate("window.harmed === undefined")
        assert {urlsplit(url).netloc for url in asked if url != "data:,"} == {urlsplit(served[1]).netloc}
        assert said == []
        context.close()

    return open_page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_is_wider_than_the_screen(visit, size, scheme):
    for path in ("/", "/samples", "/samples?q=harmed", "/compare?a=a&b=b_with_a_long_name_and_probability"):
        with visit(path, size, scheme) as page:
            page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
            root = "document.documentElement"
            assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (background == "rgb(20, 22, 26)") == (scheme == "dark")
            links, button = page.locator(".links").bounding_box(), page.locator("#theme").bounding_box()
            assert links["x"] + links["width"] <= button["x"]


def test_what_models_write_does_nothing_on_any_page(visit, served):
    _, address = served
    with visit("/samples?run=a") as page:
        links = []
        for number in (1, 2):
            page.goto(f"{address}/samples?run=a&page={number}")
            links += page.locator("a.row").evaluate_all("all => all.map(one => one.href)")
        assert len(set(links)) == 46
        for link in links:
            page.goto(link)
            page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
            page.locator("h1").hover()
            page.keyboard.press("Tab")
            assert page.locator("main img, main iframe, main script, main style, main form").count() == 0


def test_keys(visit):
    with visit("/samples?run=c") as page:
        names = page.locator("a.row").all_inner_texts()
        assert len(names) == 25
        for _ in range(3):
            page.keyboard.press("j")
        page.keyboard.press("k")
        assert page.evaluate("document.activeElement.textContent") == names[1]
        page.keyboard.press("Enter")
        page.wait_for_url("**/sample?*")
        assert page.locator("h1").inner_text() == names[1]
        for key, name in (("ArrowRight", names[2]), ("ArrowLeft", names[1])):
            page.keyboard.press(key)
            page.wait_for_function(f"document.querySelector('h1').textContent === '{name}'")
            page.wait_for_load_state()  # the keys work once the page's script has run
        page.keyboard.press("u")
        page.wait_for_url("**/samples?run=c")
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**/samples?run=c&page=2")
        page.keyboard.press("/")
        page.keyboard.type("problem 41?")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=problem*")
        assert page.locator("article").count() == 1


def test_a_page_follows_the_folder_and_theme_is_remembered(visit, served):
    view, _ = served
    with visit("/") as page:
        page.click("#theme")
        page.click("#theme")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.reload()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        write_run(view.root / "later", [True] * 4)
        view.update()
        page.locator("tr.run a", has_text="later").wait_for(timeout=10_000)
