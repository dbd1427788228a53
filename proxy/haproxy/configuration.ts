import { isPlace, NOWHERE, PLACES, type HaproxyState, type MapName } from "./state.js";

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
  /** User and group of its workers; undefined: whoever starts it. */
  readonly user?: string;
}

/** Backends that wait for a release; see `slotText`. Their number grows by a reload when they run out. */
export const FIRST_SLOTS = 32;

export const paths = {
  configuration: (folder: string) => `${folder}/haproxy.cfg`,
  slots: (folder: string) => `${folder}/slots`,
  slot: (folder: string, slot: string) => `${folder}/slots/${slot}.cfg`,
  map: (folder: string, map: MapName) => `${folder}/${map}.map`,
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
  const maxConnections = options.maxConnections === undefined ? "" : `  maxconn ${options.maxConnections}\n`;
  return `# Written by Sluice; what is changed by hand here is lost.
global
  stats socket ${paths.adminSocket(options.folder)} mode 600 level admin expose-fd listeners
  fd-hard-limit ${options.openFiles}
${maxConnections}${options.user === undefined ? "" : `  user ${options.user}\n  group ${options.user}\n`}
defaults base
  mode http
${maxConnections}  timeout http-request 30s
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
  option forwardfor
  http-error status 503 content-type text/plain string "This app has no healthy instance at the moment. Please try again shortly.\\n" hdr Retry-After 5

frontend traffic from base
  bind ${bindAddress(options.bind, options.port)}
  http-request set-var(txn.host) req.hdr(host),host_only,lower
  http-request set-var(txn.target) var(txn.host),map_str(${map("hosts")})
  http-request set-var(txn.target) str(${FALLBACK_HOST}),map_str(${map("hosts")}) if !{ var(txn.target) -m found } { var(txn.host) -m reg ^([0-9.]+|\\[.*|${options.domain.replaceAll(".", "\\\\.")})$ }
  http-request return status 404 content-type text/plain string "No app is served at this host name.\\n" unless { var(txn.target) -m found }
  http-request set-var(txn.release) var(txn.target),map_str(${map("tracks")})
  # A sticky release keeps the visitors that it was given, while it has a server left.
  http-request set-var(txn.cookie) req.cook(sluice),field(2,.) if { var(txn.release) -m found } { req.cook(sluice) -m found }
  http-request set-var(txn.kept) var(txn.target),field(1,/),concat(/,txn.cookie) if { var(txn.cookie) -m found }
  http-request set-var(txn.keptslot) var(txn.kept),map_str(${map("slots")}) if { var(txn.kept) -m found }
  http-request set-var(txn.release) var(txn.kept) if { var(txn.keptslot),field(3,|) -m str sticky } { var(txn.keptslot),field(1,|),nbsrv gt 0 }
  http-request set-var(txn.release) var(txn.target) unless { var(txn.release) -m found }
  http-request set-var(txn.slot) var(txn.release),map_str(${map("slots")})
  http-request return status 503 content-type text/plain hdr Retry-After 5 string "This app has no live release at the moment. Please try again shortly.\\n" unless { var(txn.slot) -m found }
  # Sent twice, a request might act twice: only those that may be repeated (RFC 9110, 9.2.2) are retried once they were sent.
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Request-Start t=%[date(0,ms)]
  use_backend %[var(txn.slot),field(1,|)]
  http-response set-header sluice-release %[var(txn.slot),field(4,|)]
  http-response set-header sluice-track %[var(txn.slot),field(2,|)]
  http-response add-header Set-Cookie "sluice=%[var(txn.slot),field(2,|)].%[var(txn.slot),field(4,|)]; Path=/; HttpOnly; SameSite=Lax" if { var(txn.slot),field(3,|) -m str sticky } !{ var(txn.slot),field(4,|),strcmp(txn.cookie) eq 0 }
`;
}

/** A backend that one release may have to itself. Its servers come and go at run time; its file says the same. */
export function slotText(slot: string, servers: ReadonlyMap<string, string>): string {
  const places = PLACES.map((place) => {
    const address = servers.get(place);
    return `  server ${place} ${address ?? NOWHERE} ${SERVER_CHECK}${address === undefined ? " disabled" : ""}\n`;
  });
  const others = [...servers].filter(([name]) => !isPlace(name));
  const lines = others.map(([name, address]) => `  server ${name} ${address} ${SERVER_CHECK}\n`);
  return `backend ${slot} from base\n${[...places, ...lines].join("")}`;
}

/**
 * A dead instance is out of the traffic after some three seconds, and back a tenth of a second after it listens again.
 * Until then requests go to another instance, or wait for this one (`retries`): a restart costs none of them.
 */
export const SERVER_CHECK = "check inter 2s fastinter 100ms downinter 100ms fall 30 rise 1";

export function mapText(state: HaproxyState, map: MapName): string {
  return [...state.maps[map]].map(([key, value]) => `${key} ${value}\n`).join("");
}

export function slotName(index: number): string {
  return `slot-${String(index).padStart(5, "0")}`;
}

function bindAddress(bind: string, port: number): string {
  return bind.includes(":") ? `[${bind}]:${port}` : `${bind}:${port}`;
}
