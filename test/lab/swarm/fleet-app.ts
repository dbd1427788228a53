import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { startLoad, type LoadReport } from "../../support/running/load.js";
import type { LabHost } from "../lab-host.js";
import { HTTP_PORT, type LabFleet } from "./lab-fleet.js";

const PER_SECOND = 50;
/** What comes late is in the report, too. */
const LATE_MS = 500;
const ASKED = 12;

/** Files of an app without a standby: what runs is what serves. `note`: what is new in it. */
export function plainApp(note: string): Record<string, string> {
  return tinyApp({ "app.json": JSON.stringify({ sluice: { standbySeconds: 0 } }), note });
}

/** For the log of a test. */
export function printLoad({ failures, sent, slowestMs }: LoadReport, more = ""): void {
  const slowest = (slowestMs / 1000).toFixed(1);
  process.stdout.write(
    `      ${failures.length} of ${sent} requests failed, the slowest took ${slowest} s${more}\n`,
  );
}

/** An app of a fleet, as its visitors and Docker see it. */
export class FleetApp {
  constructor(
    private readonly fleet: LabFleet,
    private readonly name: string,
  ) {}

  /** Sends steady requests through the server's proxy while `work` goes on. */
  async underLoad(work: () => Promise<void>): Promise<LoadReport> {
    const load = startLoad(HTTP_PORT, this.name, "/", PER_SECOND, this.fleet.server.address);
    try {
      await work();
    } finally {
      await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    }
    return load.stop();
  }

  /** The release that answers. */
  async release(): Promise<string> {
    return (await this.fleet.ask(this.name)).body.split(" ")[0] ?? "";
  }

  /** Names of the instances that Docker wants to run. */
  async names(): Promise<string[]> {
    return [...(await this.fleet.placesOf(this.name)).values()].flat().sort();
  }

  /** Containers of a host, each with its instance. */
  async containersOn(host: LabHost): Promise<string[]> {
    const format = '{{.ID}} {{.Label "sluice.instance"}}';
    const list = `docker ps --filter label=sluice.app=${this.name} --format '${format}'`;
    return (await host.run(list)).split("\n").filter(Boolean).sort();
  }

  /** Instances that containers of any host have, one entry for each container. */
  async contained(): Promise<string[]> {
    const found = await Promise.all(this.fleet.swarm.hosts.map(async (host) => this.containersOn(host)));
    return found
      .flat()
      .map((line) => line.split(" ")[1] ?? "")
      .sort();
  }

  /** Instances that Docker's services or secrets are for, whether anything runs or not. */
  async owners(kind: "service" | "secret"): Promise<string[]> {
    const inspect = `docker ${kind} inspect --format '{{index .Spec.Labels "sluice.instance"}}'`;
    const ids = await this.fleet.server.run(`docker ${kind} ls --quiet | xargs --no-run-if-empty ${inspect}`);
    return ids
      .split("\n")
      .filter((id) => id.startsWith(`${this.name}.`))
      .sort();
  }

  /** What different instances answer to a few requests, one after the other. */
  async answers(): Promise<Set<string>> {
    const answers = new Set<string>();
    for (let asked = 0; asked < ASKED; asked++) answers.add((await this.fleet.ask(this.name)).body);
    return answers;
  }

  /** Resolves when so many instances answer, on so many hosts. */
  async spread(instances: number, hosts: number, timeoutMs: number): Promise<void> {
    let [found, places] = [new Set<string>(), new Map<string, string[]>()];
    await eventually(
      () => `${instances} answer on ${hosts} hosts: ${[...found].join(", ")}; ${JSON.stringify([...places])}`,
      async () => {
        found = await this.answers();
        places = await this.fleet.placesOf(this.name);
        return found.size === instances && places.size === hosts;
      },
      timeoutMs,
    );
  }
}
