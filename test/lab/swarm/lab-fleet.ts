import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { exists } from "../../../core/files/exists.js";
import { buildSluice } from "../build-sluice.js";
import { CACHE } from "../base-root.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";
import type { Lab } from "../lab.js";
import type { LabHost } from "../lab-host.js";
import { LabSwarm } from "../lab-swarm.js";

const INSTALLATION = "/opt/sluice";
const HOME = "/var/lib/sluice";
const PARTS = ["dist", "bin", "hooks", "app", "package.json", "package-lock.json", "node_modules"];
/** Sluice brings its own ones. */
const DEBIANS_OWN = "haproxy redis-server docker-registry";
export const HTTP_PORT = 8080;
const REMOTE = `http://git:$(cat ${HOME}/token)@127.0.0.1:8081/git`;
export const LAB_KEY = "/root/lab-key";
const START_TIMEOUT_MS = 60_000;
const PASSWORD = "a-password-of-the-lab";

export interface FleetPlan {
  /** The server's and the workers. */
  readonly hosts: number;
  readonly engine?: "runit" | "swarm";
  /** Further hosts with a proxy and nothing else. */
  readonly proxies?: number;
  /** Whether the workers have the role `monitor`. */
  readonly monitors?: boolean;
  readonly serverRunsInstances?: boolean;
  /** More of sluice.yml's `fleet`, as YAML: `digitalocean: {…}`. */
  readonly fleet?: string;
}

export interface StartedPush {
  /** What git has printed. */
  said(): Promise<string>;
  readonly ended: Promise<unknown>;
}

/** Sluice on the first of some hosts, with the engine swarm; its apps run on all of them. */
export class LabFleet {
  private constructor(
    readonly swarm: LabSwarm,
    readonly proxies: readonly LabHost[],
    /** Host → the roles that it has without the server's: they share a Redis, which is none of Sluice's own. */
    private readonly others: ReadonlyMap<LabHost, string>,
    private readonly serverRunsInstances: boolean,
    private fleetSettings: string,
    private settings = "",
  ) {}

  static async start(lab: Lab, plan: FleetPlan): Promise<LabFleet> {
    const { hosts, engine = "swarm", proxies = 0, monitors = false, serverRunsInstances = true } = plan;
    await buildSluice();
    const booted = await lab.boot(hosts + proxies);
    const [server, ...workers] = booted.slice(0, hosts) as [LabHost, ...LabHost[]];
    const others = new Map([
      ...(monitors ? workers.map((worker) => [worker, "monitor"] as const) : []),
      ...booted.slice(hosts).map((proxy) => [proxy, "proxy"] as const),
    ]);
    const swarm = LabSwarm.of(server, workers);
    const fleet = new LabFleet(swarm, booted.slice(hosts), others, serverRunsInstances, plan.fleet ?? "");
    await Promise.all([server, ...others.keys()].map(install));
    await giveLayers(server);
    if (others.size > 0)
      await server.run(`echo ${redisConfiguration(server)} >/root/redis.conf; redis-server /root/redis.conf`);
    await fleet.use(engine);
    if (engine === "runit") return fleet;
    await fleet.swarm.takeIn(workers);
    await Promise.all([...others].map(async ([host, role]) => fleet.upOn(host, `--roles ${role}`)));
    await fleet.swarm.trust(`${server.address}:5443`, await server.run(`cat ${HOME}/registry/ca.crt`));
    return fleet;
  }

  get server(): LabHost {
    return this.swarm.manager;
  }

  /** Starts Sluice. Resolves when it is up. */
  async up(): Promise<void> {
    await this.upOn(this.server);
  }

  /** Starts Sluice, again if it runs, with that engine. `collectSeconds`: between two removals of old images. */
  async use(engine: "runit" | "swarm", collectSeconds = 86_400): Promise<void> {
    const redis =
      this.others.size === 0 ? "" : `redis: { url: "redis://:${PASSWORD}@${this.server.address}:6400" }`;
    for (const host of [this.server, ...this.others.keys()]) {
      const fleet = `address: ${host.address}, collectSeconds: ${collectSeconds}, serverRunsInstances: ${this.serverRunsInstances}${this.fleetSettings === "" ? "" : `, ${this.fleetSettings}`}`;
      const yaml = `engine: ${engine}\nfleet: { ${fleet} }\nbind: 0.0.0.0\n${redis}\n${this.settings}`;
      await host.run(`cat >${HOME}/sluice.yml <<'END'\n${yaml}\nEND`);
    }
    await this.server.run(
      `[ ! -e ${HOME}/server.pid ] || cd / && ${INSTALLATION}/bin/sluice down --keep-traffic`,
    );
    await this.up();
  }

  /** Starts it again with other settings (`FleetPlan.fleet`). Rejects when it does not start. */
  async change(fleet: string): Promise<void> {
    this.fleetSettings = fleet;
    await this.use("swarm");
  }

  /** Starts it again with more in sluice.yml, as YAML. */
  async configure(settings: string): Promise<void> {
    this.settings = settings;
    await this.use("swarm");
  }

  private async upOn(host: LabHost, roles = ""): Promise<void> {
    const up = `${INSTALLATION}/bin/sluice up ${roles}; echo "ended with $?"`;
    await host.run(`setsid sh -c '${up}' >/root/up.log 2>&1 </dev/null &`);
    let said = "";
    await eventually(
      () => `Sluice is up: ${said}`,
      async () => /Sluice is up|^ended with/m.test((said = await host.run("cat /root/up.log"))),
      START_TIMEOUT_MS,
    );
    if (!said.includes("Sluice is up")) throw new Error(said);
  }

  /** Gives its host the key that all hosts of the lab take, for `--identity LAB_KEY`. */
  async giveLabKey(): Promise<void> {
    await this.server.copy(join(CACHE, "id_ed25519"), LAB_KEY);
    await this.server.run(`chmod 600 ${LAB_KEY}`);
  }

  /** KILL, while it does whatever it does. */
  async killServer(): Promise<void> {
    await this.server.run(`kill -KILL $(cat ${HOME}/server.pid)`);
  }

  /** What a command prints. Rejects when it fails. */
  async sluice(command: string): Promise<string> {
    return this.server.run(`cd / && ${INSTALLATION}/bin/sluice ${command} 2>&1`);
  }

  /** Commits these files and nothing else, and pushes. Returns what git prints; rejects when it is declined. */
  async push(app: string, files: Readonly<Record<string, string>>, branch = "master"): Promise<string> {
    await this.commit(app, files);
    return this.pushCommit(app, branch);
  }

  /** Into the app's clone on the server's host. */
  async commit(app: string, files: Readonly<Record<string, string>>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-fleet-"));
    try {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
      const clone = `/root/clones/${app}`;
      await this.server.run(
        `mkdir -p ${clone} && cd ${clone} && git init -q && find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -r {} +`,
      );
      await this.server.feed(["tar", "-c", "-C", folder, "."], `tar -x --no-same-owner -C ${clone}`);
      const identity = "git -c user.name=Test -c user.email=test@localhost";
      await this.server.run(`cd ${clone} && git add -A && ${identity} commit -q --allow-empty -m next`);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** Returns and rejects as `push`. */
  async pushCommit(app: string, branch = "master"): Promise<string> {
    const push = `git push ${REMOTE}/${app}.git HEAD:${branch}`;
    const said = await this.server.run(`cd /root/clones/${app} && ${push} 2>&1`);
    if (said.includes("making the base image, once")) await keepLayers(this.server);
    return said;
  }

  /** A push that goes on meanwhile. */
  async startPush(app: string): Promise<StartedPush> {
    const log = `/root/push-${app}.log`;
    await this.server.run(`: >${log}`);
    return {
      said: async () => this.server.run(`cat ${log}`),
      ended: this.server.run(
        `cd /root/clones/${app} && git push ${REMOTE}/${app}.git HEAD:master >${log} 2>&1 || true`,
      ),
    };
  }

  /** Through a proxy. */
  async ask(app: string, path = "/", proxy = this.server): Promise<HttpAnswer> {
    return ask(`${proxy.address}:${HTTP_PORT}`, { path, headers: { host: `${app}.localhost` } });
  }

  /** What a push that is declined prints. Rejects when it is not. */
  async declined(app: string, files: Readonly<Record<string, string>>): Promise<string> {
    const why = await this.push(app, files).then(
      () => undefined,
      (reason: unknown) => String(reason),
    );
    if (why === undefined) throw new Error("the push was taken");
    return why;
  }

  /** TERM, with which supervision does not start it again, or its start. */
  async control(service: "registry", command: "d" | "u"): Promise<void> {
    await this.server.run(`printf ${command} >${HOME}/services/${service}/supervise/control`);
  }

  /** Instance → address, as the route table has them. */
  async routesOf(app: string): Promise<Map<string, string>> {
    const redis = `redis-cli -s ${HOME}/redis/redis.sock --no-auth-warning -a $(cat ${HOME}/redis/password)`;
    const text = await this.server.run(`${redis} HGET sluice:routes ${app}`);
    const servers = text.matchAll(/"id":"([^"]+)","address":"([^"]+)"/g);
    return new Map([...servers].map(([, id = "", address = ""]) => [id, address]));
  }

  /** Host → the app's instances that run there, as Docker knows them. */
  async placesOf(app: string): Promise<Map<string, string[]>> {
    const format = "{{.Node}} {{.Name}}";
    const services = `docker service ls --quiet --filter label=sluice.app=${app}`;
    const lines = await this.server.run(
      `for id in $(${services}); do docker service ps --no-trunc --filter desired-state=running --format '${format}' $id; done`,
    );
    const places = new Map<string, string[]>();
    for (const [host = "", name = ""] of lines.split("\n").map((line) => line.split(" ")))
      if (host !== "") places.set(host, [...(places.get(host) ?? []), name]);
    return places;
  }
}

/** Of images: making a base takes half a minute, and each lab would make the same. A new recipe has another note. */
const LAYERS = join(CACHE, "layers");

async function giveLayers(server: LabHost): Promise<void> {
  if (await exists(LAYERS))
    await server.feed(
      ["tar", "-c", "-C", LAYERS, "."],
      `mkdir -p ${HOME}/layers && tar -x -C ${HOME}/layers`,
    );
}

async function keepLayers(server: LabHost): Promise<void> {
  const draft = await mkdtemp(`${LAYERS}.`);
  await cp(await server.pathFromOutside(`${HOME}/layers`), draft, { recursive: true });
  const former = `${draft}.former`;
  // Whoever reads them goes on reading; another lab may be as far at the same moment.
  await rename(LAYERS, former).catch(() => undefined);
  await rename(draft, LAYERS).catch(async () => rm(draft, { recursive: true }));
  await rm(former, { recursive: true, force: true });
}

async function install(host: LabHost): Promise<void> {
  await host.run(`systemctl disable --now ${DEBIANS_OWN} 2>&1; mkdir -p ${INSTALLATION} ${HOME}`);
  await host.feed(["tar", "-c", ...PARTS], `tar -x -C ${INSTALLATION}`);
}

function redisConfiguration({ address }: LabHost): string {
  const lines = [`bind ${address}`, "port 6400", `requirepass ${PASSWORD}`, "daemonize yes", "dir /root"];
  return `"$(printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")})"`;
}
