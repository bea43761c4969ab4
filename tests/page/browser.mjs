// A headless Chromium that notices whatever a reviewer should never see: errors in the console,
// what the page's own policy blocked, failed requests, a page wider than its window, and what
// axe-core finds serious.

import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(`${process.env.JUNE_TEST_PAGE}/`);
const { chromium } = require("playwright-core");
const axe = require("axe-core").source;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser: `open` gives it a window, `close` ends it. */
export async function start(executablePath) {
  const profile = mkdtempSync(join(tmpdir(), "june-chromium-"));
  const browser = await chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, HOME: profile } });
  const seen = [];
  return {
    seen,
    /** A window of this width; `lenient` ones let axe in, which the page's policy would not. */
    async open({ width = 1280, height = 860, scheme = "light", token = null, lenient = false, scale = 1 }) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        deviceScaleFactor: scale,
        bypassCSP: lenient,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const where = () => `${new URL(page.url()).pathname} (${width} px, ${scheme})`;
      page.on("console", (message) => {
        // A refusal that the page shows is also in the console.
        const told = /status of 4(01|04|22)/.test(message.text());
        if (["error", "warning"].includes(message.type()) && !told) {
          seen.push(`console at ${where()}: ${message.text()}`);
        }
      });
      page.on("pageerror", (error) => seen.push(`exception at ${where()}: ${error.stack}`));
      page.on("dialog", (dialog) => {
        seen.push(`dialog at ${where()}: ${dialog.message()}`);
        dialog.dismiss();
      });
      await page.addInitScript((token) => {
        if (token) sessionStorage.setItem("june-token", token);
        addEventListener("securitypolicyviolation", (event) =>
          console.error(`blocked by the policy: ${event.violatedDirective} ${event.blockedURI}`),
        );
      }, token);
      return page;
    },
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Waits until the page shows what its address says. */
export async function settled(page) {
  await page.waitForSelector("main:not([aria-busy]) :is(h1, .problem)", { state: "attached" });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(150);
}

/** How much of the page is beyond the right edge of its window. */
export const beyond = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What axe finds that keeps people from using the page. */
export async function barriers(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ impact, id, nodes }) => {
      const [{ target, any, failureSummary }] = nodes;
      return `${impact} ${id}, ${nodes.length} times: ${target.join(" ")}: ${any[0]?.message ?? failureSummary}`;
    });
}
