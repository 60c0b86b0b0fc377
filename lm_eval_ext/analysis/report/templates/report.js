{% include 'theme.js' %}

(function () {
  const form = document.getElementById("filters");
  if (!form) return;
  const STEP = 25;
  const cards = Array.from(document.querySelectorAll(".card"));
  const more = document.getElementById("more");
  const count = document.getElementById("count");
  let limit = STEP;

  // What a card says, for the search: its text, and the source of its formulas.
  function said(card) {
    if (card.said === undefined) {
      const sources = Array.from(card.querySelectorAll("math[alttext]"), (m) => m.getAttribute("alttext"));
      card.said = (card.textContent + " " + sources.join(" ")).toLowerCase();
    }
    return card.said;
  }
  function wanted() {
    const data = new FormData(form);
    const of = (name) => String(data.get(name) || "");
    return { run: of("run"), task: of("task"), outcome: of("outcome"), layer: of("layer"),
      divided: data.has("divided"), words: of("text").toLowerCase().split(/\s+/).filter(Boolean) };
  }
  function fits(card, want) {
    if (want.task && card.dataset.task !== want.task) return 0;
    if (want.divided && card.dataset.divided !== "1") return 0;
    let shown = 0;
    for (const response of card.querySelectorAll(".response")) {
      const data = response.dataset;
      const hidden = (want.run && data.run !== want.run) || (want.outcome && data.outcome !== want.outcome)
        || (want.layer && data.layer !== want.layer);
      response.hidden = Boolean(hidden);
      if (!hidden) shown += 1;
    }
    return shown && want.words.every((word) => said(card).includes(word)) ? shown : 0;
  }
  function filter() {
    const want = wanted();
    let problems = 0, responses = 0;
    for (const card of cards) {
      const found = fits(card, want);
      problems += found ? 1 : 0;
      responses += found;
      card.hidden = !found || problems > limit;
    }
    count.textContent = problems + " of " + cards.length + " problems, " + responses + " responses";
    more.hidden = problems <= limit;
    more.textContent = "Show " + Math.min(STEP, problems - limit) + " more";
  }
  function again() { limit = STEP; filter(); }
  let waiting = 0;
  form.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(again, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(again, 0));
  more.addEventListener("click", function () { limit += STEP; filter(); });
  // A link to a card shows it, whatever the filters hide.
  function go() {
    const target = location.hash.startsWith("#s") && document.getElementById(location.hash.slice(1));
    if (target && target.classList.contains("card")) {
      form.reset();
      setTimeout(function () {  // after what the reset does
        limit = Math.max(STEP, cards.indexOf(target) + 1);
        filter();
        target.scrollIntoView();
      }, 0);
    }
  }
  window.addEventListener("hashchange", go);
  form.hidden = false;
  filter();
  go();
})();
