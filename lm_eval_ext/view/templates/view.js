"use strict";
(function () {
  const rows = () => Array.from(document.querySelectorAll("a.row"));
  function move(step) {
    const all = rows(), now = all.indexOf(document.activeElement);
    const next = all[now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); } else if (step > 0) follow("next"); else follow("prev");
  }
  function follow(rel) {
    const link = document.querySelector("a[rel=" + rel + "]");
    if (link) link.click();
  }
  const keys = {
    j: () => move(1), k: () => move(-1), ArrowRight: () => follow("next"), ArrowLeft: () => follow("prev"), u: () => follow("up"),
    "/": () => { const field = document.querySelector("input[type=search]"); if (field) field.focus(); else location.href = "/samples#search"; },
  };
  document.addEventListener("keydown", function (event) {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape" && typing) { typing.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  if (location.hash === "#search") document.querySelector("input[type=search]").focus();

  // Pages of counts follow the folder: the address is fetched again when the server's version changes.
  if (!document.getElementById("live")) return;
  let version = document.body.dataset.version;
  async function refresh() {
    try {
      const now = document.hidden ? version : await (await fetch("/version")).text();
      const busy = document.activeElement.closest("main input, main select, main details") || String(getSelection());
      if (now !== version && !busy) {
        const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
        const at = rows().indexOf(document.activeElement);
        document.querySelector("main").replaceWith(page.querySelector("main"));
        if (at >= 0 && rows()[at]) rows()[at].focus({ preventScroll: true });
        version = now;
      }
    } catch (error) { /* the server has ended: the page stays as it is */ }
    setTimeout(refresh, 2000);
  }
  setTimeout(refresh, 2000);
})();
