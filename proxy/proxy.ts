import type { PreviewPassword } from "../core/records/routes/preview-password.js";
import type { RoutedLimits } from "../core/records/routes/routed-limits.js";

/** No track begins with it. */
export const REDIRECT = "@";

/** How one app is to be routed; derived from its route table. */
export interface AppRoutes {
  /**
   * Host name, or `*.DOMAIN` for those one level below that are not named → what it leads to: a track (`APP/TRACK`), one release
   * (`APP/vN`), or another host (`APP/`, `REDIRECT` and its name).
   */
  readonly hosts: ReadonlyMap<string, string>;
  /** Track (`APP/TRACK`) → the release that serves it (`APP/vN`). */
  readonly tracks: ReadonlyMap<string, string>;
  /** Track (`APP/TRACK`) → how its visitors are split, if they are. */
  readonly splits: ReadonlyMap<string, Split>;
  /** Release (`APP/vN`) → how it is served. */
  readonly releases: ReadonlyMap<string, ReleaseRoutes>;
  /** Hosts (as in `hosts`) whose visitors are sent on from http to https. */
  readonly https: ReadonlyMap<string, HttpsOnly>;
  /** What a host leads to (as in `hosts`) → who may visit it. Whatever is not named may be visited by everybody. */
  readonly guards: ReadonlyMap<string, Guard>;
  /** What browsers get instead of the proxy's page where no instance answers (HTML); undefined: that page. */
  readonly errorPage: string | undefined;
  /** Each of its requests is logged. */
  readonly accessLog: boolean;
}

export interface Guard {
  /** That visitors have to give (RFC 7617), with any name. */
  readonly password: PreviewPassword | undefined;
  /** Addresses and networks (CIDR) of those who may visit; none: everybody. */
  readonly addresses: readonly string[];
  /** For each visitor: an IPv4 address, or 64 bits of an IPv6 address. */
  readonly limits: RoutedLimits;
}

export interface HttpsOnly {
  /** `max-age` of Strict-Transport-Security (RFC 6797), in seconds; 0: the header is not sent. */
  readonly hstsSeconds: number;
}

/** A certificate, and those of its names that it is served for. */
export interface ServedCertificate {
  readonly id: string;
  /** Host names, and wildcards. At least one. */
  readonly names: readonly string[];
  /** The certificate, those that lead to a root, and the key. */
  readonly pem: string;
}

/** Sends some of a track's visitors to another release. */
export interface Split {
  /** `APP/vN`; undefined if there is none at the moment. */
  readonly canary: string | undefined;
  /** Percent of the visitors, with two decimals. 0: only those who ask for it. */
  readonly share: number;
  /** `APP/vN` that gets the same share of the visitors, for comparison; undefined: none. */
  readonly baseline: string | undefined;
  /** The header with which a visitor asks for `blue` or `green`; undefined: `x-client-mode`. */
  readonly header: string | undefined;
  /** A path that visitors are meant to reach. */
  readonly goal: string | undefined;
  /** For p90 and p99: the slowest bucket of `latency-buckets.ts` of an answer that is not slow; undefined: not known yet. */
  readonly slow: { readonly canary: readonly number[]; readonly production: readonly number[] } | undefined;
}

export interface ReleaseRoutes {
  /** The track it was made for, as in the header `sluice-track`. */
  readonly track: string;
  /** Server's name → address (`127.0.0.1:20001` or `unix@PATH`). */
  readonly servers: ReadonlyMap<string, string>;
  /** Visitors get a cookie that brings them back to it while it is there. */
  readonly sticky: boolean;
  /** It has no server; the next request wakes it. */
  readonly asleep: boolean;
}

/** A release's load, in all of the proxy's processes together. */
export interface Load {
  /** Open streams. */
  readonly connections: number;
  /** Seconds since the last stream began; Infinity if there was none. */
  readonly idleSeconds: number;
}

/** What one of the proxy's processes has counted for a release on a track, since that counter began at zero. */
export interface Count {
  /** The process. No two have the same name. */
  readonly process: string;
  /** The counter's name within the process. A release may have several. A counter that was forgotten begins again at zero. */
  readonly key: string;
  /** `APP/vN`. */
  readonly release: string;
  readonly track: string;
  /** Whether these visitors asked for the release, by its own host or the mode header; otherwise they are the track's. */
  readonly asked: boolean;
  /** Including those that have no answer yet. */
  readonly requests: number;
  /** Answers of the instances. */
  readonly answers4xx: number;
  readonly answers5xx: number;
  /** 5xx answers (except 501 and 505), and requests that an instance took and did not answer. */
  readonly faults: number;
  /** Sent to visitors. */
  readonly bytes: number;
  /** Visitors whom chance has sent there in this step, or else who were given a cookie; and those who reached the goal. */
  readonly visitors: number;
  readonly goals: number;
  /** Visitors sent by chance who met an error, `MANY_ERRORS`, or an answer over the split's limits, each once in a step. */
  readonly visitorsWithErrors: number;
  readonly visitorsWithManyErrors: number;
  readonly visitorsOverP90: number;
  readonly visitorsOverP99: number;
  /** Bucket of `latency-buckets.ts` → answers of the instances. Unless all are requested, only buckets that grew lately. */
  readonly latencies: ReadonlyMap<number, number>;
  /** The slot with its instances, undefined for a release that sleeps. A slot is reused by one release after the other. */
  readonly slot: SlotErrors | undefined;
}

/** 5xx answers to a slot's visitors, including the proxy's own. Each is counted when it has ended. */
export interface SlotErrors {
  readonly name: string;
  readonly errors: number;
}

/** What the follow loop needs from a reverse proxy. */
export interface Proxy {
  /**
   * Routes these apps as given (undefined: not at all), and the bare host to `fallback` (a track). Once it resolves, every new
   * request is routed that way. Open requests continue. Idempotent.
   */
  apply(changes: ReadonlyMap<string, AppRoutes | undefined>, fallback: string | undefined): Promise<void>;
  /** Serves these certificates too, from the next handshake on. Returns the ids of those that it cannot serve. Idempotent. */
  addCertificates(certificates: readonly ServedCertificate[]): Promise<readonly string[]>;
  /** Serves none besides these. */
  keepCertificates(certificates: readonly ServedCertificate[]): Promise<void>;
  /** What it answers an authority that asks for a token (RFC 8555, 8.3), at any host; nothing else than these. */
  answerChallenges(answers: ReadonlyMap<string, string>): Promise<void>;
  /** Apps it routes now. */
  apps(): Promise<ReadonlySet<string>>;
  /** The load of these releases (`APP/vN`), each over all its servers. Releases that it does not serve are left out. */
  loads(releases: readonly string[]): Promise<ReadonlyMap<string, Load>>;
  /** Removes servers of releases that it no longer serves, once their last stream has ended. */
  sweep(): Promise<void>;
  /** Addresses of servers that get no new requests and are not removed yet. */
  leaving(): Promise<readonly string[]>;
  /**
   * What each of its processes has counted, for releases with recent traffic, or for every release that it knows (`all`). `all`
   * is needed at first, and when an answer was lost. The last counts of a process that ended are returned until the next call
   * without `all`.
   */
  counts(all: boolean): Promise<readonly Count[]>;
}
