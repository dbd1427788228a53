import { BASELINE, CANARY, PRODUCTION } from "../../../core/records/routes/route-table.js";
import { APPEND_SOURCE, visitorHeaders } from "./visitor-headers.js";
import { isPlace, NOWHERE, PLACES, type MapName, type Routing } from "./state.js";

export interface HaproxyOptions {
  /** Folder of everything below; HAProxy's sockets lie in it. */
  readonly folder: string;
  readonly bind: string;
  readonly port: number;
  readonly domain: string;
  /** It may open so many files; what checks and listeners leave of them is for connections, two files each. */
  readonly openFiles: number;
  /** Fewer than that. */
  readonly maxConnections?: number;
  /** Addresses and networks (CIDR) of proxies in front, which are believed what they say of a visitor. */
  readonly trustedProxies?: readonly string[];
  /** `REQUEST_SECONDS` */
  readonly requestSeconds?: number;
  /** `BODY_SILENCE_SECONDS` */
  readonly bodySilenceSeconds?: number;
  /** User and group of its workers; undefined: whoever starts it. */
  readonly user?: string;
}

/** As long as the headers of a request may take, and then its body to begin; a small one to be there whole. */
const REQUEST_SECONDS = 30;
/** As long as neither end may say anything on a request whose body is not small: its visitor sends nothing, the instance neither. */
const BODY_SILENCE_SECONDS = 600;
/** Fits into HAProxy's buffer (`tune.bufsize`, 16 KiB) with usual headers. */
const SMALL_BODY_BYTES = 8192;

/** Backends that wait for a release; see `slotText`. Their number grows by a reload when they run out. */
export const FIRST_SLOTS = 32;

/** Tables of HAProxy: what is counted for each `slotEntry` and `askedEntry`, and for each of its latency buckets. */
export const HITS = "counters/hits";
export const LATENCIES = "counters/latencies";
/** The backend of releases that sleep, and the header that names one (`APP/vN`) to whoever wakes it. */
export const WAKE = "wake";
export const WAKE_HEADER = "sluice-wake";
/** The header by which a visitor asks for production (`blue`) or the canary (`green`), unless an app names another. */
export const DEFAULT_MODE_HEADER = "x-client-mode";

export const paths = {
  configuration: (folder: string) => `${folder}/haproxy.cfg`,
  slots: (folder: string) => `${folder}/slots`,
  slot: (folder: string, slot: string) => `${folder}/slots/${slot}.cfg`,
  map: (folder: string, map: MapName) => `${folder}/${map}.map`,
  /** Microseconds, read as an IPv4 address → bucket: HAProxy finds the longest prefix. */
  buckets: (folder: string) => `${folder}/buckets.map`,
  script: (folder: string) => `${folder}/sluice.lua`,
  wakeSocket: (folder: string) => `${folder}/wake.sock`,
  adminSocket: (folder: string) => `${folder}/admin.sock`,
  masterSocket: (folder: string) => `${folder}/master.sock`,
} as const;

/** The key of the hosts map that a bare host (the domain itself, an IP address) is looked up by. */
export const FALLBACK_HOST = "*";

/** `haproxy` in the foreground, with its configuration in two places: the fixed part and a file per slot. */
export function haproxyCommand(folder: string): string[] {
  return [
    "haproxy",
    "-W",
    "-S",
    paths.masterSocket(folder),
    "-f",
    paths.configuration(folder),
    "-f",
    paths.slots(folder),
  ];
}

/**
 * The part of the configuration that no release changes. HAProxy configuration manual 2.6: sections 3 (global), 4.2
 * (`retry-on`, `http-reuse`), 7.3.1 (converters).
 */
export function configurationText(options: HaproxyOptions): string {
  const map = (name: MapName): string => paths.map(options.folder, name);
  const { requestSeconds = REQUEST_SECONDS } = options;
  const maxConnections = options.maxConnections === undefined ? "" : `  maxconn ${options.maxConnections}\n`;
  return `# Written by Sluice; what is changed by hand here is lost.
global
  stats socket ${paths.adminSocket(options.folder)} mode 600 level admin expose-fd listeners
  fd-hard-limit ${options.openFiles}
  lua-load-per-thread ${paths.script(options.folder)}
${maxConnections}${options.user === undefined ? "" : `  user ${options.user}\n  group ${options.user}\n`}
defaults base
  mode http
${maxConnections}  timeout http-request ${requestSeconds}s
  timeout http-keep-alive 60s
  timeout client 1h
  timeout server 1h
  timeout tunnel 24h
  # One end has closed, the other says nothing: over after this long.
  timeout client-fin 30s
  timeout server-fin 30s
  # A refused connection is tried again after this long: an instance that restarts costs a wait, not a request. Not more
  # often than this, since a request that kills its instance is repeated too.
  timeout connect 1s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  # A first request never goes over a connection that the instance may be closing just now.
  http-reuse safe
  balance leastconn
  # The first piece of an answer is not held back until another one follows; and who has left is not waited for.
  option http-no-delay
  option abortonclose
  # A reload closes no kept connection on which a request may just be coming: only with the next answer.
  option idle-close-on-response
  http-error status 503 content-type text/plain string "This app has no healthy instance at the moment. Please try again shortly.\\n" hdr Retry-After 5

defaults backends from base
  # HAProxy 2.6 has no timeout but the server's for a body that it passes on. What is passed on counts as a word of the server's
  # (no \`option independent-streams\`): a body that goes on, however slowly, is not cut off, one that stalls is.
  http-request set-timeout server ${options.bodySilenceSeconds ?? BODY_SILENCE_SECONDS}s if { req.body_size gt 0 } !{ req.hdr_val(content-length) le ${SMALL_BODY_BYTES} }

frontend traffic from base
  bind ${bindAddress(options.bind, options.port)}
${visitorHeaders(options.port, options.trustedProxies ?? [])}  http-request set-var(txn.began) date(0,us)
  # Sent twice, a request might act twice: only those that may be repeated (RFC 9110, 9.2.2) are retried once they were sent.
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }

  # No instance waits for a small body, nor for the first byte of another. A longer one passes as it comes (see \`backends\`).
  http-request wait-for-body time ${requestSeconds}s at-least 1
  http-request wait-for-body time ${requestSeconds}s if { req.body_size 1:${SMALL_BODY_BYTES} } { req.hdr_val(content-length) le ${SMALL_BODY_BYTES} }

  http-request set-var(txn.target) req.hdr(host),host_only,lower,map_str(${map("hosts")})
  http-request set-var(txn.target) str(${FALLBACK_HOST}),map_str(${map("hosts")}) if !{ var(txn.target) -m found } { req.hdr(host),host_only,lower -m reg ^([0-9.]+|\\[.*|${options.domain.replaceAll(".", "\\\\.")})$ }
  http-request return status 404 content-type text/plain string "No app is served at this host name.\\n" unless { var(txn.target) -m found }

  # Most requests are done here: there is nothing to decide about the visitor, and no cookie to give.
  http-request set-var(txn.visit) req.cook(sluice)
  http-request set-var(txn.slot) var(txn.target),concat(|,txn.visit),map_str(${map("visitors")}) unless { req.fhdr(${DEFAULT_MODE_HEADER}) -m found }
  http-request track-sc0 var(txn.slot) table ${HITS} if { var(txn.slot) -m found }
  http-request allow if { var(txn.slot) -m found }

  http-request set-var(txn.release) var(txn.target),map_str(${map("tracks")},none)
  http-request set-var(txn.release) var(txn.target) if { var(txn.release) -m str none }
  http-request set-var(txn.split) var(txn.target),map_str(${map("splits")})
  # Who asks for a release, for the canary or its baseline by a host of its own is nobody's visitor. (A canary without
  # production has a split, and visitors.)
  acl is_by_own_host var(txn.release),strcmp(txn.target) eq 0
  acl is_by_own_host var(txn.target),field(2,/) -m str ${CANARY} ${BASELINE}
  http-request unset-var(txn.visit) if is_by_own_host !{ var(txn.split) -m found }

  # Blue or green by a header: production, or the canary.
  http-request set-var(txn.mode) req.fhdr(${DEFAULT_MODE_HEADER}),lower if { var(txn.target),field(2,/) -m str ${PRODUCTION} } !{ var(txn.split),field(3,|) -m len gt 0 }
  http-request set-var(txn.mode) lua.named_header,lower if { var(txn.split),field(3,|) -m len gt 0 }
  acl is_green var(txn.mode) -m str green
  acl is_asked var(txn.mode) -m str blue green
  acl has_canary var(txn.split),field(1,|) -m sub /
  http-request return status 404 content-type text/plain string "There is no canary of this app at the moment.\\n" if is_green !has_canary
  http-request set-var(txn.release) var(txn.split),field(1,|) if is_green

  # A visitor without a cookie throws dice for the canary; one with a cookie stays on their track while it takes visitors.
  acl is_split var(txn.split),field(2,|) -m int gt 0
  acl is_canary_visitor var(txn.visit),field(1,.) -m str ${CANARY}
  acl is_production_visitor var(txn.visit),field(1,.) -m str ${PRODUCTION}
  acl has_baseline var(txn.split),field(5,|) -m sub /
  acl is_baseline_visitor var(txn.visit),field(1,.) -m str ${BASELINE}
  http-request set-var(txn.share) var(txn.split),field(2,|) if is_split !is_asked
  http-request set-var(txn.dice) rand(10000),sub(txn.share) if { var(txn.share) -m found } !is_production_visitor !is_canary_visitor !is_baseline_visitor || { var(txn.share) -m found } is_baseline_visitor !has_baseline
  http-request set-var(txn.release) var(txn.split),field(1,|) if { var(txn.dice) -m int lt 0 }
  http-request set-var(txn.release) var(txn.split),field(5,|) if has_baseline { var(txn.dice) -m int ge 0 } { var(txn.dice),sub(txn.share) -m int lt 0 } || has_baseline { var(txn.share) -m found } is_baseline_visitor
  http-request set-var(txn.release) var(txn.split),field(1,|) if { var(txn.share) -m found } is_canary_visitor

  # A sticky release keeps the visitors that it was given, while it has a server left (a canary's only while it takes any).
  http-request set-var(txn.had) var(txn.visit),field(2,.) if { var(txn.visit) -m found } !is_asked
  http-request set-var(txn.kept) var(txn.target),field(1,/),concat(/,txn.had) if { var(txn.had) -m found }
  http-request set-var(txn.keptslot) var(txn.kept),map_str(${map("slots")}) if { var(txn.kept) -m found }
  acl is_kept var(txn.keptslot),field(4,|) -m str sticky
  acl is_kept_canary var(txn.keptslot),field(3,|) -m str ${CANARY}
  http-request set-var(txn.release) var(txn.kept) if is_kept { var(txn.keptslot),field(2,|),nbsrv gt 0 } !is_kept_canary || is_kept { var(txn.keptslot),field(2,|),nbsrv gt 0 } is_split

  # Who asks is counted apart.
  http-request set-var(txn.slot) var(txn.release),map_str(${map("slots")})
  http-request set-var(txn.slot) var(txn.release),concat(|),map_str(${map("visitors")}) if is_asked || is_by_own_host
  http-request return status 503 content-type text/plain hdr Retry-After 5 string "This app has no live release at the moment. Please try again shortly.\\n" unless { var(txn.slot) -m found }
  http-request track-sc0 var(txn.slot) table ${HITS}

  # The visitor's cookie: TRACK.vN. In an A/B test it is TRACK.vN.TEST, named by its canary, and .g once they have reached the
  # goal. Who can be kept is given one; a canary's visitor, who waits elsewhere until the alert is over, keeps the one that they
  # have.
  http-request set-var(txn.give) bool(true) if { var(txn.slot),field(4,|) -m str sticky } !is_asked !is_by_own_host || { var(txn.share) -m found } || is_canary_visitor !has_canary !is_asked
  http-request unset-var(txn.give) if is_canary_visitor has_canary !is_split
  http-request set-var(txn.goalpath) var(txn.split),field(4,|) if { var(txn.share) -m found } { var(txn.split),field(4,|) -m len gt 0 }
  http-request set-var(txn.test) var(txn.split),field(1,|),field(2,/) if { var(txn.goalpath) -m found }
  http-request set-var(txn.goal) bool(true) if { path,strcmp(txn.goalpath) eq 0 }

  use_backend %[var(txn.slot),field(2,|)]

  http-response set-header sluice-release %[var(txn.slot),field(5,|)]
  http-response set-header sluice-track %[var(txn.slot),field(3,|)]
  http-response set-var(txn.bucket) date(0,us),sub(txn.began),map_ip(${paths.buckets(options.folder)})
  http-response track-sc1 var(txn.slot),concat(|,txn.bucket) table ${LATENCIES}
  http-response sc-inc-gpc0(1)
  http-response sc-inc-gpc(0,0) if { status 400:499 }
  http-response sc-inc-gpc(1,0) if { status 500:599 }
  http-response allow unless { var(txn.give) -m found }

  http-response set-var(txn.vn) var(txn.slot),field(5,|)
  http-response set-var(txn.wanted) var(txn.slot),field(3,|),concat(.,txn.vn)
  http-response set-var(txn.before) var(txn.visit),field(1,.,2)
  acl is_test var(txn.test) -m found
  http-response set-var(txn.wanted) var(txn.wanted),concat(.,txn.test) if is_test
  http-response set-var(txn.before) var(txn.visit),field(1,.,3) if is_test
  acl is_visitor_before var(txn.before),strcmp(txn.wanted) eq 0
  acl was_at_goal var(txn.visit),field(4,.) -m str g
  http-response sc-inc-gpc(2,0) if !is_visitor_before
  http-response set-var(txn.mark) str(.g) if { var(txn.goal) -m found } { status lt 400 } || is_test is_visitor_before was_at_goal
  http-response sc-inc-gpc(3,0) if { var(txn.mark) -m found } !is_visitor_before || { var(txn.mark) -m found } !was_at_goal
  http-response set-var(txn.value) var(txn.wanted),concat(,txn.mark)
  http-response add-header Set-Cookie "sluice=%[var(txn.value)]; Path=/; HttpOnly; SameSite=Lax" if !{ var(txn.value),strcmp(txn.visit) eq 0 }

# In a section of peers, though there are none: HAProxy empties the tables of a backend as soon as a reload tells it to stop.
peers counters
  disabled
  # gpc: answers 4xx, answers 5xx, visitors, visitors who reached the goal.
  table hits type string len 160 size 1m expire 1d store http_req_cnt,http_req_rate(10s),http_fail_cnt,bytes_out_cnt,gpc(4)

  table latencies type string len 160 size 4m expire 1d store gpc0,gpc0_rate(10s)

# Releases that sleep: whoever answers here wakes the one that is named, and passes the request on.
backend ${WAKE} from backends
  # A connection leads to the release that its first request named: no other may follow on it, of the same visitor neither.
  option http-server-close
  http-reuse never
  http-request set-header ${WAKE_HEADER} %[var(txn.slot),field(1,|)]
  server waker unix@${paths.wakeSocket(options.folder)}
`;
}

/** The header that names an app's mode is known at run time only: Lua can look for any. */
export const SCRIPT = `${APPEND_SOURCE}core.register_fetches("named_header", function(txn)
  local split = txn:get_var("txn.split") or ""
  local name = split:match("^[^|]*|[^|]*|([^|]*)")
  if name == nil or name == "" then return "" end
  return txn.f:req_fhdr(name) or ""
end)
`;

/** A backend that one release may have to itself. Its servers come and go at run time; its file says the same. */
export function slotText(slot: string, servers: ReadonlyMap<string, string>): string {
  const places = PLACES.map((place) => {
    const address = servers.get(place);
    return `  server ${place} ${address ?? NOWHERE} ${SERVER_CHECK}${address === undefined ? " disabled" : ""}\n`;
  });
  const others = [...servers].filter(([name]) => !isPlace(name));
  const lines = others.map(([name, address]) => `  server ${name} ${address} ${SERVER_CHECK}\n`);
  return `backend ${slot} from backends\n${[...places, ...lines].join("")}`;
}

/**
 * A dead instance is out of the traffic after some three seconds, and back a tenth of a second after it listens again.
 * Until then requests go to another instance, or wait for this one (`retries`): a restart costs none of them.
 */
export const SERVER_CHECK = "check inter 2s fastinter 100ms downinter 100ms fall 30 rise 1";

export function mapText({ apps, fallback }: Routing, map: MapName): string {
  const bareHost = map === "hosts" && fallback !== undefined ? `${FALLBACK_HOST} ${fallback}\n` : "";
  return bareHost + [...apps.values()].map((maps) => linesOf(maps[map])).join("");
}

/** An app's lines in a map's file: made once, since its maps never change. */
const lines = new WeakMap<ReadonlyMap<string, string>, string>();

function linesOf(entries: ReadonlyMap<string, string>): string {
  const known = lines.get(entries);
  if (known !== undefined) return known;
  const text = [...entries].map(([key, value]) => `${key} ${value}\n`).join("");
  lines.set(entries, text);
  return text;
}

export function slotName(index: number): string {
  return `slot-${String(index).padStart(5, "0")}`;
}

function bindAddress(bind: string, port: number): string {
  return bind.includes(":") ? `[${bind}]:${port}` : `${bind}:${port}`;
}
