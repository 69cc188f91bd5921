// Makes pages better that are whole without it: times in the viewer's zone, copying by a press.
"use strict";

const said = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.valueOf())) time.textContent = said.format(at);
}

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
