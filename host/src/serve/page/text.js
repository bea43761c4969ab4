// Numbers and times in words.

const digits = new Intl.NumberFormat("en-US");

/** 1234567 as "1,234,567". A number too large for JavaScript comes as its digits. */
export const grouped = (number) =>
  number === null || number === undefined
    ? "–"
    : typeof number === "string"
      ? number.replace(/\B(?=(\d{3})+$)/g, ",")
      : digits.format(number);

function scaled(value, base, units) {
  let unit = 0;
  // What would be rounded to the base is of the next unit.
  while (Math.abs(value) >= base - 0.5 && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const text = unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1);
  return `${text}${units[unit]}`;
}

/** Bytes: "1.1 MiB". */
export const bytes = (count) =>
  count === null || count === undefined ? "–" : scaled(count, 1024, [" B", " KiB", " MiB", " GiB", " TiB"]);

/** A count in short: "6.6 M". */
export const short = (count) =>
  count === null || count === undefined ? "–" : scaled(count, 1000, ["", " k", " M", " G", " T", " P"]);

/** Microseconds: "3.5 ms". */
export function took(microseconds) {
  if (microseconds === null || microseconds === undefined) return "–";
  if (microseconds >= 60e6) {
    const seconds = Math.round(microseconds / 1e6);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  return scaled(microseconds, 1000, [" µs", " ms", " s"]);
}

const two = (number) => String(number).padStart(2, "0");

/** Milliseconds of Unix time, by the clock of whoever looks: "2026-11-24 02:44:20". */
export function clock(milliseconds) {
  const at = new Date(milliseconds);
  if (Number.isNaN(at.getTime())) return String(milliseconds);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The same in UTC, to the millisecond. */
export function utc(milliseconds) {
  const at = new Date(milliseconds);
  return Number.isNaN(at.getTime()) ? String(milliseconds) : at.toISOString();
}

/** How long ago: "3 min ago". */
export function ago(milliseconds, now = Date.now()) {
  const seconds = Math.round((now - milliseconds) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

/** 0.2667 as "26.7 %". */
export const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** A difference of shares in percentage points: "+12.5". */
export const points = (share) =>
  `${share > 0 ? "+" : share < 0 ? "−" : ""}${Math.abs(share * 100).toFixed(1)}`;

/** "1 call", "2 calls". */
export const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
