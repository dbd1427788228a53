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
export const REQUEST_SECONDS = 30;
/** As long as neither end may say anything on a request whose body is not small: its visitor sends nothing, the instance neither. */
export const BODY_SILENCE_SECONDS = 600;
