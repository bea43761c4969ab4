// What reviewers said of a run, and signing it off.

import { post } from "./api.js";
import { h, outside, replace, tell } from "./dom.js";
import { badge, moment } from "./marks.js";

const review = (each) =>
  h(
    "li",
    null,
    h(
      "p",
      null,
      badge(each.verdict, each.verdict === "ok" ? "✓ ok" : "⚑ flag"),
      " ",
      h("b", { title: each.reviewer }, outside(each.reviewer.split("+")[0])),
      " ",
      h("span", { class: "about" }, moment(each.time)),
    ),
    each.comment && h("blockquote", null, outside(each.comment)),
  );

/** The reviews of a run, and the form for another. */
export function reviews(run, happened) {
  const list = h("ul", null, happened.reviews.map(review));
  const none = h("p", { class: "none" }, "Nobody has signed it off.");
  none.hidden = happened.reviews.length > 0;
  const comment = h("input", { id: "comment", name: "comment", maxlength: "4000", autocomplete: "off" });
  const wrong = h("div", { "aria-live": "assertive" });
  const send = h("button", { class: "primary" }, "Sign");
  const form = h(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        send.disabled = true;
        replace(wrong);
        try {
          const { record } = await post(`/api/runs/${run.run}/reviews`, {
            verdict: new FormData(form).get("verdict"),
            comment: comment.value.trim(),
          });
          list.append(review(record));
          none.hidden = true;
          form.reset();
          tell("Signed.");
        } catch (error) {
          replace(wrong, h("p", { class: "problem" }, error.message, " ", error.hint));
        }
        send.disabled = false;
      },
    },
    h(
      "fieldset",
      null,
      h("legend", null, "Sign off"),
      h(
        "label",
        { class: "tick" },
        h("input", { type: "radio", name: "verdict", value: "ok", required: true }),
        h("span", null, "✓ ok, nothing to object to"),
      ),
      h(
        "label",
        { class: "tick" },
        h("input", { type: "radio", name: "verdict", value: "flag" }),
        h("span", null, "⚑ flag, somebody has to look"),
      ),
    ),
    h("label", { for: "comment" }, "Comment"),
    comment,
    send,
    wrong,
  );
  return h(
    "section",
    { class: "card reviews", "aria-labelledby": "reviews" },
    h("h2", { id: "reviews" }, "Reviews"),
    none,
    list,
    form,
  );
}
