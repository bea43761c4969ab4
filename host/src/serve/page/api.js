// Asking the host. See API.md.

const TOKEN = "june-token";

/** What the host refused, and what to do about it. */
export class Refused extends Error {
  constructor(status, error, hint) {
    super(error);
    this.status = status;
    this.hint = hint;
  }
}

let login = () => Promise.reject(new Refused(401, "This needs a token."));
let asked = null;

/** How to ask for a token: a function that is told why, and promises one. */
export function onLogin(ask) {
  login = ask;
}

// One form, however many requests were refused at once.
function token(why) {
  asked ??= login(why).finally(() => {
    asked = null;
  });
  return asked;
}

async function request(path, options) {
  for (;;) {
    const sent = sessionStorage.getItem(TOKEN);
    const headers = { ...options.headers };
    if (sent) headers.authorization = `Bearer ${sent}`;
    let response;
    try {
      response = await fetch(path, { ...options, headers, credentials: "omit", redirect: "error" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "June cannot be reached.", "Is `june serve` running?");
    }
    if (response.ok) return response;
    const { error, hint } = await response.json().catch(() => ({}));
    if (response.status !== 401) {
      throw new Refused(response.status, error ?? `June answered with status ${response.status}.`, hint);
    }
    // Another request may have got a token in the meantime.
    if (sessionStorage.getItem(TOKEN) === sent) {
      sessionStorage.setItem(TOKEN, await token(sent ? (error ?? "This token is not known.") : null));
    }
  }
}

// Whole numbers that JavaScript would round stay as their digits.
function exact(key, value, context) {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  return context?.source ?? value;
}

/** GET, as a value. */
export async function get(path, signal) {
  const response = await request(path, { signal });
  return response.json();
}

/** GET, as a value with whole numbers of any size. */
export async function getExactly(path, signal) {
  const response = await request(path, { signal });
  return JSON.parse(await response.text(), exact);
}

/** GET, as bytes. */
export async function getBytes(path, signal) {
  const response = await request(path, { signal });
  return new Uint8Array(await response.arrayBuffer());
}

/** POST, as a value. */
export async function post(path, body, signal) {
  const headers = { "content-type": "application/json" };
  const response = await request(path, { method: "POST", headers, body: JSON.stringify(body ?? {}), signal });
  return response.json();
}

// No event of this page is longer.
const LONGEST = 1 << 20;

/** Server-sent events, as they come: `{event, data}`. EventSource could send no token. */
export async function* events(path, signal) {
  const response = await request(path, { headers: { accept: "text/event-stream" }, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    if (rest.length > LONGEST) throw new Refused(0, "The host sent an event without an end.");
    for (const block of blocks) {
      const fields = { event: "message", data: [] };
      for (const line of block.split("\n")) {
        const [, name, text] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
        if (name === "data") fields.data.push(text);
        else if (name === "event") fields.event = text;
      }
      if (fields.data.length > 0) yield { event: fields.event, data: JSON.parse(fields.data.join("\n")) };
    }
  }
}

/** A path with a query, without what is empty. */
export function query(path, values) {
  const kept = Object.entries(values).filter(
    ([, value]) => value !== "" && value !== null && value !== undefined,
  );
  const text = new URLSearchParams(kept).toString();
  return text ? `${path}?${text}` : path;
}
