import type { BlockList } from "node:net";
import { isIP, isIPv6 } from "node:net";
import type { AccessEntry } from "../../../core/api/apps/access-log.js";
import { parseAppName } from "../../../core/names.js";
import { slotEntry } from "../config/entries/slot-entry.js";
import { target } from "../config/entries/target.js";

/** Longer ones are cut, so that a line fits into what a pipe takes whole (pipe(7), `PIPE_BUF`). */
const LONGEST_PATH_BYTES = 1000;
const LONGEST_HOST_BYTES = 255;
const LONGEST_TEXT_BYTES = 200;
/** As many proxies in front as are looked through for the visitor's address. */
const FORWARDED = [1, 2, 3, 4] as const;
export const LONGEST_LINE_BYTES = 4000;

/** The first word of each line: another version of Sluice may have written it. */
const VERSION = "access1";

/**
 * What a visitor sent, as HAProxy keeps it until the answer has ended (`set-var-fmt`): each text in base64, so that no byte of it
 * means anything. A text that is absent is empty.
 */
export function visitFormat(hasTrustedProxies: boolean): string {
  const text = (fetch: string, bytes: number): string => `%[${fetch},bytes(0,${bytes}),base64]`;
  return [
    text("method", 32),
    text("path", LONGEST_PATH_BYTES),
    "%[req.ver]",
    "%[ssl_fc_protocol]",
    text("req.fhdr(host)", LONGEST_HOST_BYTES),
    text("req.fhdr(user-agent)", LONGEST_TEXT_BYTES),
    text("req.fhdr(referer),field(1,?)", LONGEST_TEXT_BYTES),
    text("req.fhdr(x-request-id)", LONGEST_TEXT_BYTES),
    ...(hasTrustedProxies ? FORWARDED.map((place) => text(`req.hdr(x-forwarded-for,-${place})`, 45)) : []),
  ].join(" ");
}

/** A line as HAProxy writes it. Configuration manual 2.6, section 8.2.4. */
export const LINE_FORMAT = `${VERSION} %[var(txn.target)] %[var(txn.slot)] %[var(txn.began)] %ST %B %TR %Tw %Tc %Tr %Ta %[src] %[var(txn.seen)]`;

/** Of a line; undefined: it is none, or not a whole one. `trusted`: whose word on a visitor's address is believed. */
export function parseAccessLine(line: string, trusted: BlockList): AccessEntry | undefined {
  const [version, leadsTo = "", slot = "", began, status, bytes, ...rest] = line.split(" ");
  const [read, queued, connected, answered, total, source = "", ...visit] = rest;
  const [method, path, httpVersion = "", tls = "", host, userAgent, referer, requestId, ...forwarded] = visit;
  if (version !== VERSION || requestId === undefined) return undefined;
  const { app = "" } = target.parse(leadsTo);
  const { track, version: release } = slotEntry.parse(slot);
  const time = new Date(Number(began) / 1000);
  if (!isAppName(app) || Number.isNaN(time.getTime())) return undefined;
  return {
    time: time.toISOString(),
    app,
    release: release ?? null,
    track: track ?? null,
    method: decode(method),
    path: decode(path),
    status: positive(status),
    bytes: Number(bytes),
    milliseconds: Math.max(0, Number(total)),
    answeredAfterMilliseconds:
      Number(answered) < 0 ? null : [read, queued, connected, answered].reduce(plus, 0),
    address: visitorsAddress([source, ...forwarded.map(decode)], trusted),
    host: decode(host),
    protocol: httpVersion.startsWith("2") ? "h2" : "h1",
    tls: tls === "" || tls === "-" ? null : tls,
    userAgent: decode(userAgent) || null,
    referer: decode(referer) || null,
    requestId: decode(requestId),
  };
}

/** The last address that no trusted proxy has; each of those has added where its own client is. */
function visitorsAddress(fromLast: readonly string[], trusted: BlockList): string {
  let found = fromLast[0] ?? "";
  for (const address of fromLast) {
    if (isIP(address) === 0) return found;
    found = address;
    if (!trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4")) return found;
  }
  return found;
}

function plus(sum: number, text: string | undefined): number {
  return sum + Math.max(0, Number(text));
}

function positive(text: string | undefined): number | null {
  return Number(text) > 0 ? Number(text) : null;
}

/** Bytes that are no UTF-8 become U+FFFD. */
function decode(text: string | undefined): string {
  return Buffer.from(text ?? "", "base64").toString("utf8");
}

function isAppName(text: string): boolean {
  try {
    return parseAppName(text) === text;
  } catch {
    return false;
  }
}
