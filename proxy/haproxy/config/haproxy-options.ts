export interface HaproxyOptions {
  /** Folder of HAProxy's files and sockets. */
  readonly folder: string;
  readonly bind: string;
  readonly port: number;
  /** For TLS; undefined: none. */
  readonly httpsPort?: number;
  readonly domain: string;
  /** How many files it may open. Connections take two each of what checks and listeners leave. */
  readonly openFiles: number;
  /** Where instances are: on this machine (the default), or on several, each of which may fall silent. */
  readonly instancesOn?: "this-machine" | "many-machines";
  /** Addresses and networks (CIDR) whose connections begin with a PROXY header, which says where the visitor is. */
  readonly proxyProtocolFrom?: readonly string[];
  /** Fewer connections than `openFiles` allows. */
  readonly maxConnections?: number;
  /** Addresses and networks (CIDR) of proxies in front, which are believed when they describe a visitor. */
  readonly trustedProxies?: readonly string[];
  /** Default: `REQUEST_SECONDS`. */
  readonly requestSeconds?: number;
  /** Default: `BODY_SILENCE_SECONDS`. */
  readonly bodySilenceSeconds?: number;
  /** User and group of its workers. Undefined: those of whoever starts it. */
  readonly user?: string;
}

/** How long a request's headers may take, and then its body until it begins, or until it is complete if it is small. */
export const REQUEST_SECONDS = 30;
/** How long both the visitor and the instance may be silent during a request whose body is not small. */
export const BODY_SILENCE_SECONDS = 600;
