/* Runs before the first paint: the remembered theme, or the system's. Same key as Django's admin. */
"use strict";
(function () {
  let theme = "auto";
  try {
    theme = localStorage.getItem("theme") || "auto";
  } catch {
    /* storage may be forbidden: the system's theme it is */
  }
  document.documentElement.dataset.theme = theme;
})();
