import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";
import type { Lab } from "../lab.js";
import type { LabHost } from "../lab-host.js";
import { LabSwarm } from "../lab-swarm.js";

const INSTALLATION = "/opt/sluice";
const HOME = "/var/lib/sluice";
const PARTS = ["dist", "bin", "hooks", "app", "package.json", "node_modules"];
/** Sluice brings its own ones. */
const DEBIANS_OWN = "haproxy redis-server docker-registry";
export const HTTP_PORT = 8080;
const START_TIMEOUT_MS = 60_000;

/** Sluice on the first of some hosts, with the engine swarm; its apps run on all of them. */
export class LabFleet {
  private constructor(readonly swarm: LabSwarm) {}

  static async start(lab: Lab, count: number, engine: "runit" | "swarm" = "swarm"): Promise<LabFleet> {
    await execa("bin/build");
    const [server, ...workers] = (await lab.boot(count)) as [LabHost, ...LabHost[]];
    await server.run(`systemctl disable --now ${DEBIANS_OWN} 2>&1; mkdir -p ${INSTALLATION} ${HOME}`);
    await server.feed(["tar", "-c", ...PARTS], `tar -x -C ${INSTALLATION}`);
    const fleet = new LabFleet(LabSwarm.of(server, workers));
    await fleet.use(engine);
    if (engine === "runit") return fleet;
    await fleet.swarm.takeIn(workers);
    await fleet.swarm.trust(`${server.address}:5443`, await server.run(`cat ${HOME}/registry/ca.crt`));
    return fleet;
  }

  get server(): LabHost {
    return this.swarm.manager;
  }

  /** Starts Sluice. Resolves when it is up. */
  async up(): Promise<void> {
    const { server } = this;
    await server.run(`setsid ${INSTALLATION}/bin/sluice up >/root/up.log 2>&1 </dev/null &`);
    await eventually(
      "Sluice is up",
      async () => (await server.run("cat /root/up.log")).includes("Sluice is up"),
      START_TIMEOUT_MS,
    );
  }

  /** Starts Sluice, again if it runs, with that engine. */
  async use(engine: "runit" | "swarm"): Promise<void> {
    const yaml = `engine: ${engine}\nfleet: { address: ${this.server.address} }\nbind: 0.0.0.0`;
    await this.server.run(`cat >${HOME}/sluice.yml <<'END'\n${yaml}\nEND`);
    await this.server.run(
      `[ ! -e ${HOME}/server.pid ] || cd / && ${INSTALLATION}/bin/sluice down --keep-traffic`,
    );
    await this.up();
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
      const remote = `http://git:$(cat ${HOME}/token)@127.0.0.1:8081/git/${app}.git`;
      return await this.server.run(
        `cd ${clone} && git add -A && ${identity} commit -q --allow-empty -m next && git push ${remote} HEAD:${branch} 2>&1`,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** Through the proxy. */
  async ask(app: string, path = "/"): Promise<HttpAnswer> {
    return ask(`${this.server.address}:${HTTP_PORT}`, { path, headers: { host: `${app}.localhost` } });
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
