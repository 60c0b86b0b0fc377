"""`lm-eval-ext view` without a browser: its pages against what the report's code reads from the same runs."""

import html
import http.client
import json
import re
import threading
from collections import Counter
from types import SimpleNamespace

import pytest
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from lm_eval_ext.analysis import runs
from lm_eval_ext.analysis.compare import compare
from lm_eval_ext.analysis.entries import entries_of
from lm_eval_ext.analysis.pages.mathml import rendered
from lm_eval_ext.harness.store.folder import Store
from lm_eval_ext.harness.store.model import StoredModel
from lm_eval_ext.harness.store.settings import settings_of
from lm_eval_ext.view import query
from lm_eval_ext.view.app import respond, server
from lm_eval_ext.view.index import Index
from tests.analysis.batched import batch
from tests.analysis.logged import STAMP, write_run
from tests.analysis.reported import Tags, two_runs
from tests.view.looked_at import hostile_run, opened, page

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "runs"
    two_runs(folder)
    return folder


@pytest.fixture(scope="module")
def view(root, tmp_path_factory):
    return opened(root, tmp_path_factory.mktemp("index") / "of")


def names(text):
    """The links to samples, in order."""
    return [html.unescape(link) for link in re.findall(r'class="row" href="(/sample\?[^"]+)"', text)]


def every_page(view, target):
    found = []
    while target:
        text = page(view, target)
        found += names(text)
        after = re.search(r'rel="next" href="([^"]+)"', text)
        target = html.unescape(after[1]) if after else None
    return found


def test_scores_and_outcomes_are_those_that_the_report_reads(view, root):
    for number in "01":
        task = runs.load(root / number).tasks["mathnet"]
        expected = Counter(entry.outcome for entry in entries_of(task, "accuracy", None))
        with view.index.open() as db:
            facets = query.facets(db, {"run": number})
        assert dict(facets["outcome"]) == expected
        scores = list(task.scored().values())
        assert f"<b>{sum(scores) / len(scores) * 100:.1f}%</b>" in page(view, "/")


def test_filters_and_paging_show_each_sample_once(view):
    assert len(set(every_page(view, "/samples"))) == 80
    for name in query.FACETS:
        with view.index.open() as db:
            values = query.facets(db, {})[name]
        assert sum(n for _, n in values) == 80
        value, n = values[-1]
        with view.index.open() as db:
            assert query.total(db, {name: value}) == n == len(query.page(db, {name: value}, 0, 99))
    both = every_page(view, "/samples?run=0&outcome=undecided")
    assert len(both) == 4 and all("in_outcome=undecided" in link and "run=0" in link for link in both)


@pytest.mark.parametrize(
    "words, n",
    [("unicorn17.", 2), (r"\frac{17}{2}", 2), ("UNICORN5. problem", 2), ("p12", 2), ("unicorn x", 0)],
)
def test_search(view, words, n, monkeypatch):
    found = every_page(view, f"/samples?q={words.replace(' ', '+')}")
    if n:
        assert len(found) == n
    clock = SimpleNamespace(monotonic=iter(range(10_000)).__next__)  # a search ends after some samples
    monkeypatch.setattr(query, "time", clock)
    monkeypatch.setattr(query, "_UNTIMED", 1)
    assert every_page(view, f"/samples?q={words.replace(' ', '+')}") == found


def test_a_sample_shows_the_span_both_readings_and_its_neighbours(view):
    links = every_page(view, "/samples?run=0&outcome=right")
    text = page(view, links[1])
    assert "<mark>" in text and "read as" in text and "exact" in text
    near = dict(re.findall(r'rel="(next|prev)" href="([^"]+)"', text))
    assert [query_of(near[name])["doc"] for name in ("prev", "next")] == [
        query_of(links[i])["doc"] for i in (0, 2)
    ]
    assert "in_outcome=right" in near["next"]
    assert page(view, links[1] + "&with=1").count('class="reading"') == 2


def query_of(link):
    return dict(part.split("=") for part in html.unescape(link).partition("?")[2].split("&"))


def test_two_runs_flip_where_compare_says_so(view, root):
    a, b = (runs.load(root / number) for number in "01")
    unit = compare(a, b).units[0]
    text = page(view, "/compare?a=0&b=1")
    assert f">{len(unit.flips)}<" in text and f"p = {unit.p:.4f}" in text and f"n = {unit.n}" in text
    shown = every_page(view, "/compare?a=0&b=1")
    assert {query_of(link)["doc"] for link in shown} == {pair.a.doc_hash[:16] for pair in unit.flips}
    only = every_page(view, "/compare?a=0&b=1&show=only_a")
    assert len(only) == unit.pairing.only_a


def test_a_run_that_grows_and_a_broken_line(tmp_path):
    file = write_run(tmp_path / "runs" / "a", [True, False, True, None])
    samples = file.with_name(f"samples_mathnet_{STAMP}.jsonl")
    lines = samples.read_bytes().splitlines(keepends=True)
    samples.write_bytes(lines[0] + lines[1][:40])
    view = opened(tmp_path / "runs", tmp_path / "index")

    def counted():
        view.update()
        with view.index.open() as db:
            return query.total(db, {})

    assert counted() == 1 and not re.search("line 2", page(view, "/"))
    version = respond(view, "/version").body
    samples.write_bytes(
        b"".join([*lines[:2], b"{broken\n", json.dumps({"doc_id": 9}).encode() + b"\n", lines[2]])
    )
    assert counted() == 3 and respond(view, "/version").body != version
    shown = html.unescape(page(view, "/")).replace("<wbr>", "")
    assert f"{samples}, line 3 is not a JSON object" in shown and f"{samples}, line 4 is no sample" in shown
    samples.write_bytes(lines[3])  # written anew
    assert counted() == 1 and "undecided" in page(view, "/samples")
    write_run(tmp_path / "runs" / "a", [True] * 7, stamp="2026-02-01T00-00-00.000000")
    assert counted() == 7 and "100.0%" in page(view, "/")  # the newest results count
    file.unlink()
    (tmp_path / "runs" / "a" / "results_2026-02-01T00-00-00.000000.json").write_text("{")
    assert counted() == 0 and "cannot be read as JSON" in page(view, "/")


def test_models_named_as_their_folders_are_all_shown(tmp_path):
    for name in ("old", "new"):
        write_run(tmp_path / "runs" / "all" / name, [True], model=name)
    for root, names in (("runs", ["all/new", "all/old"]), ("runs/all", ["new", "old"])):
        found = opened(tmp_path / root, tmp_path / names[0].replace("/", "_")).found
        assert [source.run for source in found.sources] == names


def test_many_lines_are_read_in_parts(tmp_path, monkeypatch):
    write_run(tmp_path / "runs", [True, False] * 10)
    monkeypatch.setattr("lm_eval_ext.view.index._AT_ONCE", 3)
    (tmp_path / "index").mkdir()
    index, view = Index(tmp_path / "index"), None
    view = opened(tmp_path / "runs", tmp_path / "other")
    assert index.update(view.found.sources, seconds=0) and 0 < index.share < 1
    while index.update(view.found.sources, seconds=0):
        pass
    with index.open() as db:
        assert query.total(db, {}) == 20 and query.total(db, {"outcome": "right"}) == 10


def test_a_batch_shows_what_failed_and_how_far_a_run_is(tmp_path):
    out = batch(tmp_path / "batch")
    tasks = {"mathnet": {"reused": 10, "generated": 20, "seconds": 40.0, "requests": 60}}
    (tmp_path / "batch" / "alone").mkdir()
    (tmp_path / "batch" / "alone" / "manifest.json").write_text(
        json.dumps({"state": "running", "tasks": tasks})
    )
    view = opened(out, tmp_path / "index")
    text = page(view, "/")
    assert "out of memory" in text and "30 of 60" in text and "about 1 min" in text
    with view.index.open() as db:
        known = [run for run, _ in query.facets(db, {})["run"]]
    failed = view.found.unfinished[1].run
    assert failed == "base/mathnet-plain" and failed not in known and "base/mathnet-chat" in known
    matrix = re.sub("<[^>]+>", " ", text[text.index("<table") : text.index("</table>")]).split()
    assert matrix[:6] == ["model", "mathnet-plain", "mathnet-chat", "gsm8k-chat", "base", "failed"]
    assert known.index("sft-checkpoint-10/gsm8k-chat") < known.index("sft-checkpoint-20/gsm8k-chat")


def test_the_responses_of_a_running_run_are_graded_as_they_come(tmp_path):
    folder = tmp_path / "runs" / "going"
    docs = [{"problem": f"{i} + 1?", "gold": str(i + 1)} for i in range(6)]
    asked = [
        Instance("generate_until", doc, (f"{i} + 1?", {"max_gen_toks": 9}), 0, ("sums", i, 1))
        for i, doc in enumerate(docs)
    ]
    shared = settings_of("echo", {}, chunk_size=2, seed=1, batch_size=8)
    manifest = {"state": "running", "fingerprint": shared.fingerprint, "model": {"pretrained": "org/some"}}
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))

    class Adder(LM):
        def generate_until(self, requests, disable_tqdm=False):
            return [f"So it is $\\boxed{{{max(2, r.doc_id + 1)}}}$" for r in requests]

        loglikelihood = loglikelihood_rolling = None

    def generate(n):
        with Store(folder, shared, print) as store:
            StoredModel("echo", Adder, store, dict).generate_until(asked[:n], disable_tqdm=True)

    generate(2)
    view = opened(tmp_path / "runs", tmp_path / "index")
    try:
        assert "<b>50.0%</b>" in page(view, "/") and len(every_page(view, "/samples")) == 2
        assert "<mark>" in page(view, every_page(view, "/samples")[0])
        generate(6)
        view.update()
        assert "<b>83.3%</b>" in page(view, "/") and "so far" in page(view, "/")
        assert len(every_page(view, "/samples?outcome=right")) == 5
        (folder / "manifest.json").write_text(json.dumps(manifest | {"state": "finished"}))
        view.update()
        assert every_page(view, "/samples") == []
    finally:
        view.close()


@pytest.mark.parametrize("target", ["/", "/samples", "/samples?q=harmed", "/compare?a=a&b=b"])
def test_what_models_write_is_never_markup(tmp_path, target):
    n = hostile_run(tmp_path / "runs" / "a")
    hostile_run(tmp_path / "runs" / "b")
    view = opened(tmp_path / "runs", tmp_path / "index")
    links = every_page(view, target) if target == "/samples" else []
    assert n == 46 and len(links) == (2 * n if links else 0)
    for address in [target, *links[:n], *(f"{link}&source=1&with=b" for link in links[:n])]:
        tags = Tags()
        tags.feed(page(view, address))
        sources = [value for tag, name, value in tags.attributes if tag == "script"]
        assert sources == ["/theme.js", None, "/view.js", None]
        assert not {"img", "iframe", "object", "embed", "base", "style", "video"} & set(tags.found)
        assert tags.found.count("meta") == 2 and tags.found.count("link") == 3
        assert not [one for one in tags.attributes if one[1].startswith("on") or one[1] == "srcdoc"]
        followed = {value for _, name, value in tags.attributes if name in ("href", "src", "action")}
        assert all((link[0] in "/#" and link[:2] != "//") or link == "data:," for link in followed)


def test_only_this_machine_by_its_own_name_is_answered(view):
    listening = server(view, 0)
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    port = listening.server_address[1]
    assert listening.server_address[0] == "127.0.0.1"
    for host, status in ((f"localhost:{port}", 200), ("evil.example", 421), (f"evil.example:{port}", 421)):
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        asked.request("GET", "/version", headers={"Host": host})
        reply = asked.getresponse()
        reply.read()
        assert reply.status == status
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy
        asked.close()
    listening.shutdown()
    listening.server_close()


@pytest.mark.parametrize(
    "target, status",
    [
        ("/nowhere", 404),
        ("/sample?run=0&task=mathnet&doc=none", 404),
        ("/samples?page=x", 400),
        ("/samples?page=-1", 400),
        ("/sample?nth=x", 400),
        ("/compare?show=all", 400),
        ("/samples?run=none", 200),
        ("/samples?page=99", 200),
        ("/compare?a=0&b=none", 200),
        ("/style.css", 200),
        ("/view.js", 200),
    ],
)
def test_addresses(view, target, status):
    page(view, target, status)


def test_a_highlighted_formula_stays_whole():
    text = r"So $x = \frac{1}{2}$, that is 0.5 <b>"
    start = text.index(r"\frac")
    assert "<mark><math" in rendered(text, (start, start + 11))
    assert "is <mark>0.5</mark> &lt;b&gt;" in rendered(text, (text.index("0.5"), text.index("0.5") + 3))
