"""The report in a real browser, without a network: what it asks for, runs, hides and shows."""

from __future__ import annotations

import re
import struct
import zlib
from contextlib import contextmanager

import pytest

from lm_eval_ext.analysis.report import Options, build, write
from lm_eval_ext.batch.results import read_places
from tests.analysis.batched import batch
from tests.analysis.reported import two_runs

pytestmark = pytest.mark.unit

PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(build(two_runs(folder / "runs"), Options(workers=1)), folder / "out")
    return (folder / "out" / "report.html").as_uri()


@pytest.fixture
def opened(browser, address):
    """Opens the report; on leaving, anything but a quiet page that asked for nothing fails the test."""

    @contextmanager
    def open_page(size=DESK, scheme="light", anchor=""):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True
        )
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address + anchor)
        yield page
        assert [url for url in asked if url.split("#")[0] != address] == []
        assert said == []
        context.close()

    return open_page


def visible(page, selector):
    return page.locator(f"{selector}:visible").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_wider_than_the_page_and_something_is_drawn(opened, tmp_path, size, scheme):
    with opened(size, scheme) as page:
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0
        for section in ("scores", "pairs", "lengths", "samples"):
            page.locator(f"#{section}").scroll_into_view_if_needed()
            shot = page.screenshot(path=tmp_path / f"{section}.png")
            assert colours(shot) > 20


def test_the_page_of_a_batch_shows_its_tables_and_figures(browser, tmp_path):
    found, matrix = read_places([str(batch(tmp_path / "batch"))])
    write(build(found, Options(workers=1), matrix=matrix), tmp_path / "out")
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, offline=True)
    page = context.new_page()
    page.goto((tmp_path / "out" / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert visible(page, "#matrix svg") == 5 and visible(page, "#t-model_steps tbody tr") == 6
    failed = page.locator("#t-model_tasks tbody tr").first
    assert failed.inner_text().split() == ["base", "plain", "failed", "–"]
    assert page.locator("#matrix svg", has_text="failed").count() == 1
    page.locator("#matrix details").evaluate("one => { one.open = true; }")
    assert (
        visible(page, "#t-comparison tbody tr")
        == len(matrix.scored) + page.locator('#t-model_tasks td:text-is("baseline")').count()
    )
    assert colours(page.locator("#matrix").screenshot()) > 20
    context.close()


def test_dark_mode_differs_and_the_toggle_wins_over_the_system(opened):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with opened(scheme="light") as page:
        light = background(page)
        page.click("#theme")
        assert background(page) == light
        page.click("#theme")
        dark = background(page)
    with opened(scheme="dark") as page:
        assert background(page) == dark != light
        page.click("#theme")
        assert background(page) == light


def test_nothing_that_a_model_wrote_runs(opened):
    with opened() as page:
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        page.wait_for_timeout(100)
        assert page.evaluate("window.harmed === undefined")
        assert (
            page.locator("script").count() == 1
            and page.locator("img, iframe, object, a[href^=java]").count() == 0
        )
        assert "<script>window.harmed = 1</script>" in page.locator(".card pre").first.text_content()


def test_a_script_that_got_into_the_page_would_not_run(opened):
    with pytest.raises(AssertionError, match="Content Security Policy"), opened() as page:
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<b onclick=\"window.harmed = 9\" id=harm>x</b>')"
        )
        page.evaluate("document.getElementById('harm').click()")
        assert page.evaluate("window.harmed === undefined")


def test_search_and_filters(opened):
    with opened() as page:
        cards = page.locator(".card").count()
        assert cards == 40 and visible(page, ".card") == 25
        page.click("#more")
        assert visible(page, ".card") == 40

        search(page, "unicorn17.")
        assert visible(page, ".card") == 1
        assert page.locator(".card:visible .problem").inner_text().startswith("Problem 17")
        search(page, r"\frac{17}{2}")
        assert visible(page, ".card") == 1
        search(page, "nothing like it")
        assert visible(page, ".card") == 0 and page.locator("#count").inner_text().startswith("0 of 40")
        page.click("button[type=reset]")
        says(page, "40 of 40")
        assert visible(page, ".card") == 25

        page.select_option("[name=outcome]", "undecided")
        says(page, "4 of 40")
        shown = page.locator(".response:visible")
        assert set(shown.evaluate_all("all => all.map(one => one.dataset.outcome)")) == {"undecided"}
        page.select_option("[name=run]", "1")
        says(page, "4 of 40 problems, 4 responses")
        page.select_option("[name=outcome]", "")
        page.select_option("[name=layer]", "judge")
        says(page, "1 of 40")
        page.click("button[type=reset]")
        page.check("[name=divided]")
        divided = page.locator(".card[data-divided='1']").count()
        says(page, f"{divided} of 40")
        assert 0 < divided < 40


def says(page, count):
    """Waits until the line over the samples begins so."""
    from playwright.sync_api import expect

    expect(page.locator("#count")).to_have_text(re.compile("^" + re.escape(count)))


def search(page, words):
    page.fill("[name=text]", words)
    page.wait_for_timeout(250)


def test_a_link_to_a_problem_shows_it_though_it_is_far_down(opened):
    with opened(anchor="#s38") as page:
        page.wait_for_timeout(200)
        assert page.locator("#s38").is_visible()


def test_formulas_are_drawn_as_mathematics(opened):
    with opened() as page:
        box = page.locator(".problem math mfrac").first.bounding_box()
        assert box["height"] > 1.2 * box["width"] * 0.5 and box["height"] > 18


def colours(png):
    """How many different colours a screenshot has, at least, in every 97th of its pixels."""
    data, at, packed = png[8:], 0, b""
    width, height, depth, kind = struct.unpack(">IIBB", data[8:18])
    assert depth == 8 and kind in (2, 6)
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + size]
        at += 12 + size
    raw, step = zlib.decompress(packed), 3 if kind == 2 else 4
    assert len(raw) == height * (1 + width * step)
    return len({raw[i : i + step] for i in range(1, len(raw) - step, 97 * step)})
