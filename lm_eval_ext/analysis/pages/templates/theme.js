"use strict";
(function () {
  const root = document.documentElement;
  const themes = ["auto", "light", "dark"];
  const toggle = document.getElementById("theme");
  function remembered() { try { return localStorage.getItem("theme") || "auto"; } catch (e) { return "auto"; } }
  function remember(theme) { try { localStorage.setItem("theme", theme); } catch (e) { /* not kept */ } }
  function show(theme) {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    toggle.textContent = { auto: "◐ auto", light: "○ light", dark: "● dark" }[theme];
    toggle.value = theme;
  }
  show(themes.includes(remembered()) ? remembered() : "auto");
  toggle.hidden = false;
  toggle.addEventListener("click", function () {
    const next = themes[(themes.indexOf(toggle.value) + 1) % themes.length];
    show(next);
    remember(next);
  });
})();
