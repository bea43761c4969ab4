// The models: where each is, its state, loading and unloading.

import { get, post } from "./api.js";
import { h, outside, replace, tell } from "./dom.js";
import { badge } from "./marks.js";
import { bytes, counted } from "./text.js";

// How often to look again, and how often while one is coming or going.
const AGAIN = 15_000;
const SOON = 1500;

const PASSING = ["loading", "unloading"];

export async function view(main, { signal }) {
  document.title = "Models · June";
  const body = h("tbody");
  const state = h("p", { class: "state" });
  const wrong = h("div", { "aria-live": "assertive" });
  let models = [];
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));

  async function act(model, what) {
    replace(wrong);
    model.state = `${what}ing`;
    show();
    try {
      const { model: now } = await post(`/api/models/${encodeURIComponent(model.name)}/${what}`);
      Object.assign(model, now);
      tell(`${model.name}: ${model.state}`);
    } catch (error) {
      replace(
        wrong,
        h(
          "div",
          { class: "problem" },
          outside(model.name),
          ": ",
          error.message,
          error.hint && h("p", { class: "hint" }, error.hint),
        ),
      );
    }
    await load().catch(() => {});
  }

  function row(model) {
    const button = (what, label) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": `${label} ${model.name}`,
          disabled: PASSING.includes(model.state),
          onclick: () => act(model, what),
        },
        label,
      );
    return h(
      "tr",
      null,
      h("th", { scope: "row", class: "name" }, outside(model.name)),
      h("td", { class: "backend" }, outside(model.backend)),
      h("td", { class: "where" }, h("code", null, outside(model.at))),
      h(
        "td",
        { class: "number bytes" },
        model.bytes === undefined || model.bytes === null ? "–" : bytes(model.bytes),
      ),
      h(
        "td",
        { class: "outcome" },
        badge(model.state),
        model.reason && h("span", { class: "detail" }, outside(model.reason)),
      ),
      h(
        "td",
        { class: "act" },
        model.loadable &&
          (model.state === "ready" || model.state === "unloading"
            ? button("unload", "Unload")
            : button("load", "Load")),
      ),
    );
  }

  function show() {
    const focused = document.activeElement
      ?.closest?.("tbody button")
      ?.getAttribute("aria-label")
      ?.replace(/^\S+ /, "");
    replace(body, models.map(row));
    if (focused)
      [...body.querySelectorAll("button")]
        .find((each) => each.getAttribute("aria-label").endsWith(` ${focused}`))
        ?.focus();
  }

  async function load() {
    ({ models } = await get("/api/models", signal));
    show();
    replace(
      state,
      models.length === 0
        ? ["No model yet. ", h("code", null, "june model pull qwen3-0.6b")]
        : counted(models.length, "model"),
    );
    clearTimeout(timer);
    const soon = models.some((model) => PASSING.includes(model.state));
    timer = setTimeout(() => load().catch(() => {}), soon ? SOON : AGAIN);
  }

  await load();
  replace(
    main,
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Models")),
    state,
    wrong,
    h(
      "div",
      { class: "wide" },
      h(
        "table",
        { class: "models" },
        h("caption", { class: "unseen" }, "Models"),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            [
              ["Name", ""],
              ["Backend", ""],
              ["Where", ""],
              ["Size", "number"],
              ["State", ""],
            ].map(([name, kind]) => h("th", { scope: "col", class: kind || null }, name)),
            h("td"),
          ),
        ),
        body,
      ),
    ),
  );
}
