// Makes pages better that are whole without it: times in the viewer's zone, copying by a press, what is new as it comes.
"use strict";

const said = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
function sayTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.textContent = said.format(at);
  }
}
sayTimes(document);

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.focus();
    field.select();
    // The clipboard interface is there over TLS alone; the older command does on plain HTTP.
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
    else document.execCommand("copy");
    button.textContent = `${button.textContent} ✓`;
    button.disabled = true;
  });
}

// Live, on request: what is new is shown by itself only where nothing would move under somebody's hand.
const LIVE = "credsync-live";
const SOONEST = 5000;
const main = document.querySelector("main[data-shown]");
const bar = document.querySelector(".live");
if (main && bar && window.EventSource) {
  const toggle = bar.querySelector("[data-live]");
  const newer = bar.querySelector("[data-newer]");
  const age = bar.querySelector("[data-age]");
  let stream = null;
  let shown = Date.now();
  let place = null;
  let waiting = false;
  let asked = false;
  bar.hidden = false;

  const typed = () =>
    [...main.querySelectorAll("textarea:not([readonly]), input:not([type=hidden], [type=checkbox], [type=radio])")].some(
      (each) => each.value !== each.defaultValue,
    );
  const inUse = () =>
    document.hidden ||
    main.matches(":hover") ||
    main.querySelector("input[type=checkbox]:checked, details[open]:focus-within") !== null ||
    (main.contains(document.activeElement) && document.activeElement !== main) ||
    typed();

  const show = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main[data-shown]");
    if (!fresh) return;
    fresh.querySelector(".live")?.remove();
    for (const old of [...main.children]) if (old !== bar) old.remove();
    main.append(...fresh.children);
    sayTimes(main);
    shown = Date.now();
    newer.hidden = true;
  };
  const tell = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      if (!stream) return;
      if (inUse()) newer.hidden = false;
      else show();
    }, Math.max(0, shown + SOONEST - Date.now()));
  };
  const start = () => {
    stream = new EventSource("/live");
    stream.addEventListener("changed", (event) => {
      if (place !== null && event.data !== place) tell();
      // Whoever has just asked for it may have had the page open for long.
      if (place === null && asked) { if (typed()) newer.hidden = false; else show(); }
      asked = false;
      place = event.data;
      bar.dataset.listening = "";
    });
  };
  const stop = () => { stream?.close(); stream = null; place = null; delete bar.dataset.listening; };
  const set = (on) => {
    toggle.setAttribute("aria-pressed", String(on));
    sessionStorage.setItem(LIVE, on ? "on" : "off");
    if (on && !document.hidden) start(); else stop();
  };
  toggle.addEventListener("click", () => {
    asked = true;
    set(toggle.getAttribute("aria-pressed") !== "true");
  });
  newer.addEventListener("click", show);
  document.addEventListener("visibilitychange", () => {
    if (toggle.getAttribute("aria-pressed") !== "true") return;
    if (document.hidden) stop();
    else { asked = true; start(); }
  });
  setInterval(() => {
    const seconds = Math.round((Date.now() - shown) / 1000);
    const said = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
    age.textContent = age.dataset.age.replace("{}", said);
  }, 1000);
  if (sessionStorage.getItem(LIVE) === "on") set(true);
}
