/* The shell's only script: theme, menu, toasts, the viewer's own zone, quiet partial refreshes. */
"use strict";
(function () {
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);

  /* --- theme: system, then light, then dark, and round again */
  const themes = ["auto", "light", "dark"];
  function showTheme() {
    const button = $("#theme");
    if (button) button.setAttribute("aria-label", "Theme: " + (root.dataset.theme === "auto" ? "system" : root.dataset.theme) + ". Change");
    document.dispatchEvent(new CustomEvent("theme"));
  }
  function nextTheme() {
    root.dataset.theme = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      /* not remembered, still shown */
    }
    showTheme();
    toast("Theme: " + (root.dataset.theme === "auto" ? "as the system" : root.dataset.theme));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

  /* --- menu on small screens */
  function toggleMenu(open) {
    const side = $("#side");
    const button = $("#menu");
    if (!side || !button) return;
    side.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) $("a", side).focus();
    else button.focus();
  }

  /* --- toasts */
  function toast(text, level = "success") {
    const template = $("#toast-template");
    if (!template) return;
    const item = template.content.firstElementChild.cloneNode(true);
    item.classList.add(level);
    $("span", item).textContent = text;
    $("#toasts").append(item);
    expire(item);
  }
  const expire = (item) => setTimeout(() => item.remove(), item.classList.contains("error") ? 12000 : 6000);
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));

  /* --- times: UTC is written by the server, the viewer's own zone is put beside it */
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isUtc = new Date().getTimezoneOffset() === 0 && ["UTC", "Etc/UTC", "GMT"].includes(zone);
  const long = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false, timeZoneName: "short" });
  function localTimes(from) {
    from.querySelectorAll("time[datetime]").forEach((time) => {
      const moment = new Date(time.dateTime);
      if (isNaN(moment)) return;
      time.title = moment.toISOString().replace("T", " ").slice(0, 19) + " UTC · " + long.format(moment) + " " + zone;
      if (!time.hasAttribute("data-local") || isUtc) return;
      let beside = time.nextElementSibling;
      if (!beside || !beside.classList.contains("local")) {
        beside = document.createElement("span");
        beside.className = "local dim";
        time.after(" ", beside);
      }
      beside.textContent = "(" + short.format(moment) + ")";
    });
  }

  /* --- the clock in the top bar runs on the desk's clock, not on the viewer's */
  const clock = $("#clock");
  if (clock && clock.dataset.speed) {
    const started = performance.now();
    const origin = new Date(clock.dateTime).getTime();
    const tick = () => {
      const moment = new Date(origin + (performance.now() - started) * Number(clock.dataset.speed));
      clock.dateTime = moment.toISOString();
      $("b", clock).textContent = moment.toISOString().slice(11, 19);
      localTimes(clock.parentElement);
    };
    if (Number(clock.dataset.speed) > 0) setInterval(tick, 1000);
  }

  /* --- partial refreshes: none while hidden, changed figures flash, a lost server is said */
  const isPoll = (detail) => detail.elt && /every /.test(detail.elt.getAttribute("hx-trigger") || "");
  const figures = new Map();
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && isPoll(event.detail)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.responseURL.includes("/login")) {
      event.preventDefault();
      location.reload();
      return;
    }
    figures.clear();
    document.querySelectorAll("[data-figure]").forEach((cell) => figures.set(cell.id, cell.dataset.figure));
  });
  document.addEventListener("htmx:afterSettle", () => {
    /* not before: until then htmx carries the old classes over to cells of the same id */
    localTimes(document);
    document.querySelectorAll("[data-figure]").forEach((cell) => {
      const before = figures.get(cell.id);
      const moved = Number(cell.dataset.figure) - Number(before);
      if (before && moved) cell.classList.add(moved > 0 ? "rose" : "fell");
    });
  });
  let answered = new Date();
  const lost = (event) => {
    const line = $("#lost");
    if (!line) return;
    line.hidden = false;
    $("span", line).textContent = answered.toISOString().slice(11, 19);
    if (!isPoll(event.detail)) toast("The desk did not answer. Nothing was changed.", "error");
  };
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 403) toast("Your role does not allow this.", "error");
    else lost(event);
  });
  document.addEventListener("htmx:afterOnLoad", () => {
    answered = new Date();
    const line = $("#lost");
    if (line) line.hidden = true;
  });

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-act]");
    if (!target) return;
    if (target.dataset.act === "theme") nextTheme();
    if (target.dataset.act === "menu") toggleMenu(!$("#side").classList.contains("open"));
    if (target.dataset.act === "reveal") {
      const isOpen = document.getElementById(target.getAttribute("aria-controls")).classList.toggle("open");
      target.setAttribute("aria-expanded", String(isOpen));
    }
    if (target.dataset.act === "dismiss") target.closest(".toast").remove();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && $("#side.open")) toggleMenu(false);
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !isTyping && $("input[type=search]")) {
      event.preventDefault();
      $("input[type=search]").focus();
    }
  });
  showTheme();
  localTimes(document);
  document.querySelectorAll(".toast").forEach(expire);
})();
