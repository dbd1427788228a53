/** What one app wants of a proxy; derived from its route table. */
export interface AppRoutes {
  /** Host name → where its visitors go: a track (`APP/TRACK`) or one release (`APP/vN`). */
  readonly hosts: ReadonlyMap<string, string>;
  /** Track (`APP/TRACK`) → the release that serves it (`APP/vN`). */
  readonly tracks: ReadonlyMap<string, string>;
  /** Track (`APP/TRACK`) → how its visitors are split, where they are. */
  readonly splits: ReadonlyMap<string, Split>;
  /** Release (`APP/vN`) → how it is served. */
  readonly releases: ReadonlyMap<string, ReleaseRoutes>;
}

/** Some of a track's visitors go to another release. */
export interface Split {
  /** `APP/vN`; undefined when there is none at the moment. */
  readonly canary: string | undefined;
  /** Percent of the visitors, to two decimals; 0: only those who ask for it. */
  readonly share: number;
  /** `APP/vN` that as many of the others go to; undefined: none. */
  readonly baseline: string | undefined;
  /** The header by which a visitor asks for `blue` or `green`; undefined: `x-client-mode`. */
  readonly header: string | undefined;
  /** A path that visitors are meant to reach. */
  readonly goal: string | undefined;
}

export interface ReleaseRoutes {
  /** The track it was made for, as visitors are told (`sluice-track`). */
  readonly track: string;
  /** Server's name → address (`127.0.0.1:20001` or `unix@PATH`). */
  readonly servers: ReadonlyMap<string, string>;
  /** Visitors get a cookie that names it, and come back to it while it is here. */
  readonly sticky: boolean;
  /** It has no server; whoever comes wakes it. */
  readonly asleep: boolean;
}

/** Load of a release, over all of the proxy's processes. */
export interface Load {
  /** Streams open now. */
  readonly connections: number;
  /** Seconds since the last stream began; Infinity when there was none. */
  readonly idleSeconds: number;
}

/** What one of the proxy's processes has counted of a release on a track, since that counter began at zero. */
export interface Count {
  /** The process; another one is never called the same. */
  readonly process: string;
  /** The counter's name within the process: a release may have several. One that is forgotten begins again at zero. */
  readonly key: string;
  /** `APP/vN`. */
  readonly release: string;
  readonly track: string;
  /** By whoever asked for the release, by its own host or by the mode's header; else by the track's visitors. */
  readonly asked: boolean;
  /** Begun; those that are not answered yet, too. */
  readonly requests: number;
  /** Answers of the instances. */
  readonly answers4xx: number;
  readonly answers5xx: number;
  /** The 5xx answers (501 and 505 aside), and requests that an instance took and did not answer. */
  readonly faults: number;
  /** Sent to visitors. */
  readonly bytes: number;
  /** Visitors who were given a cookie, and those of them who reached the goal. */
  readonly visitors: number;
  readonly goals: number;
  /** Bucket of `latency-buckets.ts` → answers of the instances; unless all are asked for, only those that grew lately. */
  readonly latencies: ReadonlyMap<number, number>;
  /** Where its instances stand, undefined for a release that sleeps. Releases have the same slot one after the other. */
  readonly slot: SlotErrors | undefined;
}

/** 5xx answers that visitors of a slot got, the proxy's own among them; each is counted when it has ended. */
export interface SlotErrors {
  readonly name: string;
  readonly errors: number;
}

/** What the follow loop needs from a reverse proxy. */
export interface Proxy {
  /**
   * Makes these apps be routed so (undefined: not at all), and the bare host go to `fallback` (a track). When it
   * resolves, every new request is routed by it; what is open goes on. Can be called again with the same effect.
   */
  apply(changes: ReadonlyMap<string, AppRoutes | undefined>, fallback: string | undefined): Promise<void>;
  /** Apps it routes now. */
  apps(): Promise<ReadonlySet<string>>;
  /** The load of these releases (`APP/vN`), each over all its servers. One that it does not serve is left out. */
  loads(releases: readonly string[]): Promise<ReadonlyMap<string, Load>>;
  /** Forgets servers of releases that it serves no more and whose last stream has ended by now. */
  sweep(): Promise<void>;
  /** Addresses of servers that get nothing new and that it has not forgotten yet. */
  leaving(): Promise<readonly string[]>;
  /**
   * What each of its processes has counted, for releases with traffic lately, or for every one that it knows (`all`): to be
   * asked for at first, and when an answer was lost. Of a process that ends it tells the last numbers until the next call
   * without `all`.
   */
  counts(all: boolean): Promise<readonly Count[]>;
}
