import type { AppRoutes, Proxy } from "../../../proxy/proxy.js";
import { ask, type Question } from "../../support/network/ask.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";
import { Upgraded } from "../../support/network/upgraded.js";
import { Upstream, type UpstreamOptions } from "../../support/network/upstream.js";

export interface RunningProxy {
  readonly proxy: Proxy;
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a proxy for the domain `localhost`. */
export type StartProxy = () => Promise<RunningProxy>;

/** One test of the contract: a proxy of its own, and web servers for it to lead to. */
export class ProxyTrial<P extends RunningProxy = RunningProxy> {
  private started: P | undefined;
  private readonly upstreams = new Set<Upstream>();

  constructor(private readonly start: () => Promise<P>) {}

  async begin(): Promise<void> {
    this.started = await this.start();
  }

  async end(): Promise<void> {
    await this.started?.close();
    await Promise.all([...this.upstreams].map(async (upstream) => upstream.stop()));
    this.upstreams.clear();
  }

  get running(): P {
    if (this.started === undefined) throw new Error("the trial has not begun");
    return this.started;
  }

  get proxy(): P["proxy"] {
    return this.running.proxy;
  }

  async upstream(name: string, options: UpstreamOptions = {}): Promise<Upstream> {
    const upstream = await Upstream.start(name, options);
    this.upstreams.add(upstream);
    return upstream;
  }

  async apply(app: string, routes: AppRoutes | undefined, fallback?: string): Promise<void> {
    await this.proxy.apply(new Map([[app, routes]]), fallback);
  }

  /** `host` without the domain. */
  async get(host: string, path = "/", headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.ask({ path, headers: { host: `${host}.localhost`, ...headers } });
  }

  async post(host: string, path: string, body: string): Promise<HttpAnswer> {
    return this.ask({ path, method: "POST", body, headers: { host: `${host}.localhost` } });
  }

  async ask(question: Question): Promise<HttpAnswer> {
    return ask(`127.0.0.1:${this.running.port}`, question);
  }

  async upgraded(host: string): Promise<Upgraded> {
    return Upgraded.open(this.running.port, host);
  }

  async connectionsTo(release: string): Promise<number | undefined> {
    return (await this.proxy.loads([release])).get(release)?.connections;
  }
}

export interface Wanted {
  /** The release that has the track. */
  readonly live?: number;
  readonly releases: Readonly<Record<number, readonly Upstream[]>>;
  readonly sticky?: readonly number[];
  readonly track?: string;
}

/** Routes of an app in a few words. */
export function routesOf(
  app: string,
  { live, releases, sticky = [], track = "production" }: Wanted,
): AppRoutes {
  const numbers = Object.keys(releases).map(Number);
  const host = track === "production" ? app : `${track}.${app}`;
  return {
    hosts: new Map([
      [`${host}.localhost`, `${app}/${track}`],
      ...numbers.map((number) => [`v${number}.${app}.localhost`, `${app}/v${number}`] as const),
    ]),
    splits: new Map(),
    https: new Map(),
    guards: new Map(),
    errorPage: undefined,
    accessLog: false,
    tracks: new Map(live === undefined ? [] : [[`${app}/${track}`, `${app}/v${live}`]]),
    releases: new Map(
      numbers.map((number) => [
        `${app}/v${number}`,
        {
          track,
          servers: serversOf(`${app}.v${number}`, releases[number]),
          sticky: sticky.includes(number),
          asleep: false,
        },
      ]),
    ),
  };
}

/** Named as `routes-of.ts` names them: an instance on another port is another server. */
function serversOf(release: string, upstreams: readonly Upstream[] = []): Map<string, string> {
  return new Map(
    upstreams.map(({ address }, index) => {
      const id = `${release}.web.${index + 1}`;
      return [address.startsWith("unix@") ? id : `${id}:${address.split(":")[1] ?? ""}`, address];
    }),
  );
}
