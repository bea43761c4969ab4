"use strict";
const at = (id) => document.getElementById(id);
const tasks = Array.from(document.querySelectorAll("tbody.task"), (body) => ({
  body,
  text: body.textContent.toLowerCase(),
  verdicts: body.dataset.verdicts.split(" "),
}));
const filter = () => {
  const text = at("search").value.trim().toLowerCase();
  const verdict = at("verdict").value;
  let shown = 0;
  for (const task of tasks) {
    const fits = task.text.includes(text) && (!verdict || task.verdicts.includes(verdict));
    task.body.hidden = !fits;
    shown += fits;
  }
  at("count").textContent = `${shown} of ${tasks.length} tasks`;
};
at("filter").hidden = false;
at("filter").addEventListener("submit", (event) => event.preventDefault());
at("search").addEventListener("input", filter);
at("verdict").addEventListener("change", filter);
at("open").addEventListener("click", () => {
  const shown = document.querySelectorAll("tbody.task:not([hidden]) details");
  const open = Array.from(shown).some((details) => !details.open);
  for (const details of shown) details.open = open;
});
document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    at("search").focus();
  }
});
filter();
