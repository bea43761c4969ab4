// The page: which view is shown, moving between them, the colours and the token.

import { Refused, onLogin } from "./api.js";
import { h, replace } from "./dom.js";
import { listen } from "./keys.js";

const main = document.getElementById("main");

// What each path shows. The modules are fetched when they are needed first.
const ROUTES = [
  [/^\/$/, () => import("./runs.js"), "/"],
  [/^\/runs\/(\d{1,20})$/, () => import("./run.js"), "/"],
  [/^\/evaluations$/, () => import("./evaluations.js"), "/evaluations"],
  [/^\/evaluations\/compare$/, () => import("./compare.js"), "/evaluations"],
  [/^\/evaluations\/([^/]+)$/, () => import("./evaluation.js"), "/evaluations"],
  [/^\/models$/, () => import("./models.js"), "/models"],
  [/^\/live$/, () => import("./live.js"), "/live"],
];

let leave = new AbortController();

// The path and query that are shown.
let at = "";

function problem(error) {
  const refused = error instanceof Refused;
  return h(
    "section",
    { class: "problem", role: "alert" },
    h("h1", { tabindex: "-1" }, refused && error.status === 404 ? "Not here" : "That did not work"),
    h("p", null, error.message),
    refused && error.hint && h("p", { class: "hint" }, error.hint),
    h("p", null, h("a", { href: "/" }, "All runs")),
  );
}

/** A part of the path as it was before it was encoded. */
function decoded(part) {
  try {
    return part && decodeURIComponent(part);
  } catch {
    throw new Refused(404, `There is no page ${location.pathname}.`);
  }
}

/** Shows what the address says. `back` is whether the visitor was here before. */
async function show(back, focus) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const path = location.pathname;
  at = path + location.search;
  const [route, found] = ROUTES.map((route) => [route, route[0].exec(path)]).find(([, found]) => found) ?? [];
  for (const link of document.querySelectorAll(".top nav a")) {
    const here = route?.[2] === link.getAttribute("href");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.setAttribute("aria-busy", "true");
  try {
    if (!route) throw new Refused(404, `There is no page ${path}.`);
    const { view } = await route[1]();
    if (signal.aborted) return;
    const query = new URLSearchParams(location.search);
    await view(main, { argument: decoded(found[1]), query, signal, back, go });
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    document.title = "June";
    replace(main, problem(error));
    if (!(error instanceof Refused)) console.error(error);
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
  if (signal.aborted || !focus) return;
  if (!back) window.scrollTo(0, 0);
  if (!main.contains(document.activeElement)) {
    (main.querySelector("h1[tabindex]") ?? main).focus({ preventScroll: true });
  }
}

/** Goes to a path of this page. */
export function go(path) {
  if (path === at) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  show(false, true);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target?.length > 0) return;
  // A link of a plot has no `href` that is a text.
  const to = new URL(link.getAttribute("href"), location.href);
  if (to.origin !== location.origin || to.pathname.startsWith("/assets/")) return;
  if (to.pathname === location.pathname && to.search === location.search && to.hash) return;
  event.preventDefault();
  go(to.pathname + to.search + to.hash);
});

window.addEventListener("popstate", () => {
  // Where only the part after the # changed, the browser scrolls by itself.
  if (location.pathname + location.search !== at) show(true, true);
});

const wantsDark = matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");

function isDark() {
  const kept = document.documentElement.dataset.theme;
  return kept ? kept === "dark" : wantsDark.matches;
}

function label() {
  button.textContent = isDark() ? "☾" : "☀";
}

function theme() {
  const next = isDark() ? "light" : "dark";
  // Back to what the machine says, where that is the same.
  if ((next === "dark") === wantsDark.matches) {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("theme");
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
  }
  label();
}

button.addEventListener("click", theme);
wantsDark.addEventListener("change", label);
label();

onLogin(
  (why) =>
    new Promise((resolve, reject) => {
      const field = h("input", {
        id: "token",
        type: "password",
        required: true,
        autocomplete: "current-password",
        autocapitalize: "off",
        spellcheck: "false",
      });
      const dialog = h(
        "dialog",
        {
          class: "login",
          "aria-labelledby": "login-title",
          onclose: () => {
            dialog.remove();
            reject(new Refused(401, "This page needs a token.", "Reload it to be asked again."));
          },
        },
        h(
          "form",
          { method: "dialog", onsubmit: () => resolve(field.value.trim()) },
          h("h2", { id: "login-title" }, "Token"),
          why && h("p", { class: "problem", role: "alert" }, why),
          h("p", null, "June asks who you are. The token is kept until this tab is closed."),
          h("label", { for: "token" }, "Token"),
          field,
          h("button", { class: "primary" }, "Continue"),
        ),
      );
      document.body.append(dialog);
      dialog.showModal();
    }),
);

listen(go, theme);
show(false, false);
