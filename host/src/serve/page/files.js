// The files that a run was given: one map of CBOR from paths to contents, as the journal's format
// has it. `null` is a folder; `[0, [bytes]]` a file; `[1, [digest, length]]` a file that is a blob.

/** Reads the small part of CBOR that such a map is written in. Throws where it is anything else. */
function reader(bytes) {
  let at = 0;
  const take = (count) => {
    if (count > bytes.length - at) throw new RangeError("cut off");
    at += count;
    return bytes.slice(at - count, at);
  };
  const number = (info) => {
    if (info < 24) return info;
    if (info > 27) throw new RangeError("no number");
    return take(2 ** (info - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
  };
  return function item(depth = 0) {
    if (depth > 4) throw new RangeError("too deep");
    const [head] = take(1);
    const major = head >> 5;
    if (major === 7) return null;
    const count = number(head & 31);
    // Each member takes a byte at least.
    if (major >= 4 && count > bytes.length - at) throw new RangeError("cut off");
    if (major === 0) return count;
    if (major === 2) return Uint8Array.from(take(count));
    if (major === 3) return new TextDecoder().decode(Uint8Array.from(take(count)));
    if (major === 4) return Array.from({ length: count }, () => item(depth + 1));
    if (major === 5) return Array.from({ length: count }, () => [item(depth + 1), item(depth + 1)]);
    throw new RangeError("of another kind");
  };
}

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Bytes as a value of a record: a text where they are one. */
function content(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return [...bytes];
  }
}

/** `[path, value]` of each file, the value as in a record, null for a folder; null where it is no such map. */
export function files(bytes) {
  try {
    return reader(bytes)().map(([path, data]) => {
      if (data === null) return [String(path), null];
      const [kind, [first, length]] = data;
      return [String(path), kind === 0 ? content(first) : { sha256: hex(first), length }];
    });
  } catch {
    return null;
  }
}
