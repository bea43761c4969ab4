// A reviewer at work, in a real browser, before a real `june serve`. The test (tests/page.rs) says
// where it is and what is in it; see there. Prints what was done, and ends with 1 if anything went
// wrong.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { barriers, beyond, settled, start } from "./browser.mjs";

// url, token, talk, session, evaluations, denied, agent, images, chromium
const facts = JSON.parse(process.env.JUNE_PAGE_FACTS);
const browser = await start(facts.chromium);
const { seen } = browser;

async function step(name, does) {
  const begun = performance.now();
  try {
    await does();
    console.log(`ok    ${name} (${Math.round(performance.now() - begun)} ms)`);
  } catch (error) {
    seen.push(`${name}: ${error.stack}`);
    console.log(`FAILED ${name}`);
  }
}

const page = await browser.open({});
const address = () => page.evaluate(() => location.pathname + location.search);
const rows = () => page.locator("table.runs tbody tr");
const go = async (path) => {
  await page.goto(facts.url + path);
  await settled(page);
};

await step("a token is asked for, and a wrong one is refused", async () => {
  await page.goto(`${facts.url}/`);
  await page.fill("#token", "june_wrong");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog.login .problem");
  await page.fill("#token", facts.token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("table.runs tbody tr");
});

await step("the list is there soon", async () => {
  await go("/");
  const first = await page.evaluate(() =>
    Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime),
  );
  console.log(`      first content after ${first} ms`);
});

await step("the runs of a session are found as one types, without loading the page again", async () => {
  await page.evaluate(() => {
    window.same = true;
  });
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.name), "q");
  const begun = performance.now();
  await page.keyboard.type(facts.session.toUpperCase());
  await page.waitForFunction((session) => {
    const rows = [...document.querySelectorAll("table.runs tbody tr")];
    return rows.length > 0 && rows.every((row) => row.querySelector(".session").textContent === session);
  }, facts.session);
  console.log(`      found after ${Math.round(performance.now() - begun)} ms, typing included`);
  assert.ok((await rows().count()) > 1);
});

await step("the one with a denied call is opened by keyboard", async () => {
  await page.check("[name=denied]");
  await page.waitForFunction(() => document.querySelectorAll("table.runs tbody tr").length === 1);
  assert.match(await address(), /q=.*denied=true/);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForSelector("article.run");
  assert.equal(await address(), `/runs/${facts.denied}`);
  assert.match(await page.locator(".step.refused").first().innerText(), /no network was granted/);
});

await step("the journal is verified and the run replayed", async () => {
  await page.click("button:text-is('Verify')");
  await page.waitForSelector(".result.good:has-text('The journal is sound')", { timeout: 120_000 });
  await page.click("button:text-is('Replay')");
  await page.waitForSelector(".result.good:has-text('Identical')");
});

await step("it is signed off, and the list knows", async () => {
  await page.click("label:has-text('flag')");
  await page.fill("#comment", "wanted the network: <b>why?</b>");
  await page.click("button:text-is('Sign')");
  await page.waitForSelector("blockquote:has-text('wanted the network: <b>why?</b>')");
  assert.equal(await page.locator(".reviews li b").first().innerText(), "ada");
  await page.keyboard.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("u");
  await page.waitForSelector("table.runs tbody tr");
  assert.ok(await page.evaluate(() => window.same), "the page was never loaded again");
  await go(`/?session=${encodeURIComponent(facts.session)}&denied=true`);
  assert.match(await rows().first().locator(".reviews").innerText(), /flag|⚑/);
});

await step("back leads to where one was", async () => {
  await go("/?outcome=raised");
  for (let press = 0; press < 4; press++) await page.keyboard.press("j");
  const chosen = await page.evaluate(() => document.activeElement.getAttribute("href"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("article.run");
  await page.goBack();
  await page.waitForSelector("table.runs tbody tr");
  assert.equal(await address(), "/?outcome=raised");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), chosen);
});

await step("an agent's run shows what it said and did, and the run that it made", async () => {
  await go(`/runs/${facts.agent}`);
  await page.click("button:text-is('Open all')");
  const text = await page.locator("main").innerText();
  for (const part of ["calculator", "6 * 7", "42"]) assert.ok(text.includes(part), part);
  await page.locator(".tree a").nth(1).click();
  await page.waitForFunction((path) => location.pathname !== path, `/runs/${facts.agent}`);
  await page.waitForSelector("article.run");
});

if (facts.evaluations) {
  await step("two evaluations are compared", async () => {
    const [a, b] = facts.evaluations;
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.waitForSelector("table.evaluations");
    await page.check(`[aria-label='Compare ${a}']`);
    await page.check(`[aria-label='Compare ${b}']`);
    await page.click("text=Compare two");
    await page.waitForSelector(".headline");
    assert.match(await address(), /^\/evaluations\/compare\?a=.+&b=.+/);
    await page.click("[aria-label='Swap A and B']");
    await page.waitForSelector(".headline");
    await go(`/evaluations/${encodeURIComponent(a)}`);
    await page.locator(".tasks summary").first().click();
    await page.locator("table.samples a").first().click();
    await page.waitForSelector("article.run");
  });
}

if (facts.talk) {
  await step("a run is seen while it happens", async () => {
    await go("/live");
    await page.waitForSelector(".link.on");
    const before = await page.locator(".live li").count();
    const asked = await fetch(`${facts.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${facts.talk}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "direct", messages: [{ role: "user", content: "Hello" }] }),
    });
    assert.equal(asked.status, 200);
    await page.waitForFunction(
      () => /1 began, 1 ended/.test(document.querySelector(".state")?.textContent ?? ""),
    );
    assert.ok((await page.locator(".live li").count()) >= Math.min(before + 1, 50));
  });
}

await step("keys are told, and the colours change and stay", async () => {
  await go("/");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog.keys[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.keys", { state: "detached" });
  await page.keyboard.press("t");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("t");
});

await step("what is not there is said", async () => {
  await go("/runs/18446744073709551615");
  assert.match(await page.locator("main").innerText(), /there is no run/);
  await go("/nowhere");
  assert.match(await page.locator("main").innerText(), /There is no page/);
});

const [a, b] = (facts.evaluations ?? []).map(encodeURIComponent);
const VIEWS = {
  runs: "/",
  denied: "/?denied=true",
  run: `/runs/${facts.agent}`,
  denial: `/runs/${facts.denied}`,
  hostile: `/runs/${facts.hostile}`,
  ...(facts.evaluations && {
    evaluations: "/evaluations",
    evaluation: `/evaluations/${a}`,
    compare: `/evaluations/compare?a=${a}&b=${b}`,
    models: "/models",
  }),
  live: "/live",
  missing: "/nowhere",
};
for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    const window = await browser.open({ width, scheme, token: facts.token });
    const lenient = await browser.open({ width, scheme, token: facts.token, lenient: true });
    for (const [name, path] of Object.entries(VIEWS)) {
      await step(`${name}, ${scheme}, ${width} px`, async () => {
        for (const each of [window, lenient]) {
          await each.goto(facts.url + path);
          await settled(each);
        }
        assert.ok((await beyond(window)) <= 0, `it is ${await beyond(window)} px too wide`);
        await lenient.evaluate(() => {
          for (const each of document.querySelectorAll("details")) each.open = true;
        });
        await lenient.waitForTimeout(150);
        assert.deepEqual(await barriers(lenient), []);
        if (facts.shots) {
          mkdirSync(facts.shots, { recursive: true });
          await window.screenshot({ path: join(facts.shots, `${name}-${width}-${scheme}.png`) });
        }
      });
    }
    await window.context().close();
    await lenient.context().close();
  }
}

await browser.close();
for (const each of seen) console.log(`WRONG ${each}`);
process.exit(seen.length === 0 ? 0 : 1);
