import { expect } from "chai";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.js";
import { Home } from "../../../core/home.js";
import { silentLog } from "../../../core/log.js";
import type { InstanceSpec, InstanceState } from "../../../server/engines/engine.js";
import { untilEngineAnswers } from "../../../server/engines/until-engine-answers.js";
import { OWN_PORT } from "../../../server/engines/swarm/starting/entry-script.js";
import { LogCollector } from "../../../server/engines/swarm/logs/log-collector.js";
import { SwarmApi } from "../../../server/engines/swarm/swarm-api.js";
import { SwarmEngine } from "../../../server/engines/swarm/swarm-engine.js";
import { SwarmLogs } from "../../../server/engines/swarm/logs/swarm-logs.js";
import { engineContract } from "../../contract/engine-contract.js";
import { LIMITS, type EngineBench, type Processes } from "../../contract/engine/engine-trial.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER } from "../../support/git/tiny-app.js";
import type { LabHost } from "../lab-host.js";
import { LabSwarm, SWARM_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { LossyDocker } from "./lossy-docker.js";

const IMAGE = "contract:1";
const STOP_SECONDS = 2;

describe("a Swarm of three hosts", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let swarm: LabSwarm;
  before(async function () {
    await test.open(this, SWARM_PACKAGES);
    swarm = await LabSwarm.form(await test.lab.boot(3));
    const files = await mkdtemp(join(tmpdir(), "sluice-image-"));
    await chmod(files, 0o755);
    await writeFile(join(files, "server.js"), TINY_SERVER);
    await swarm.load(IMAGE, files).finally(async () => rm(files, { recursive: true }));
  });
  after(async () => test.close());

  it("takes no answer that was lost for a no: what was asked for is done once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-lossy-"));
    const lossy = await LossyDocker.before(await swarm.socket(), join(folder, "docker.sock"));
    const { engine, close } = await openEngine(folder, new SwarmApi(join(folder, "docker.sock")));
    const spec: InstanceSpec = {
      ...{ id: "shop.v1.web.1", app: "shop", command: "node server.js", listen: "port" },
      artifact: { kind: "image", reference: IMAGE, at: "/srv" },
      ...{ env: { PATH: "/usr/bin:/bin", RELEASE: "v1", DYNO: "web.1" }, limits: LIMITS },
    };
    const [patience, signal] = [30_000, new AbortController().signal];
    const untilDone = async (act: () => Promise<void>): Promise<void> =>
      untilEngineAnswers(systemClock, act, signal, patience);
    try {
      for (const request of ["POST /secrets/create", "POST /services/create", "GET /tasks"])
        lossy.lose(request);
      await untilDone(async () => engine.start(spec));
      const state = await eventually("it answers", async () => {
        const now = await engine.state(spec.id).catch(() => undefined);
        return now?.address !== undefined && (await ask(now.address)).status === 200 ? now : undefined;
      });
      expect(state.ends).to.equal(0);
      expect(await swarm.manager.run("docker service ls -q | wc -l; docker secret ls -q | wc -l")).to.equal(
        "1\n1",
      );
      lossy.lose("DELETE /services/");
      await untilDone(async () => engine.stop(spec.id));
      expect(await swarm.manager.run("docker service ls -q; docker secret ls -q")).to.equal("");
      expect(lossy.lost).to.equal(4);
    } finally {
      await close();
      lossy.close();
      await rm(folder, { recursive: true });
    }
  });

  engineContract("SwarmEngine", async (folder) => bench(folder, swarm), {
    ...{
      sharesPorts: false,
      sharesFiles: false,
      keepsAddresses: false,
      pausesGrow: false,
      countsMemory: true,
    },
    portInside: String(OWN_PORT),
  });
});

async function openEngine(
  folder: string,
  api: SwarmApi,
): Promise<{ engine: SwarmEngine; close: () => Promise<void> }> {
  const home = new Home(folder);
  const logs = new LogCollector({ api, home, clock: systemClock, log: silentLog, logBytes: 1024 * 1024 });
  const options = { api, owner: folder, logs, login: undefined, stopSeconds: STOP_SECONDS };
  const engine = await SwarmEngine.open({ ...options, clock: systemClock, log: silentLog });
  return { engine, close: async () => engine.close() };
}

async function bench(folder: string, swarm: LabSwarm): Promise<EngineBench> {
  const api = new SwarmApi(await swarm.socket());
  let { engine, close } = await openEngine(folder, api);
  const first = engine;
  return {
    engine: first,
    logs: new SwarmLogs(new Home(folder), first),
    again: async () => {
      await close();
      ({ engine, close } = await openEngine(folder, api));
      return engine;
    },
    dispose: async () => {
      await Promise.all((await engine.list()).map(async ({ id }) => engine.stop(id)));
      await close();
    },
    artifact: { kind: "image", reference: IMAGE, at: "/srv" },
    processes: processesOf(swarm),
  };
}

/** By commands on the hosts: their numbers are no numbers of this machine. */
function processesOf({ hosts }: LabSwarm): Processes {
  const hostOf = async ({ host }: InstanceState): Promise<LabHost> => {
    for (const each of hosts) if ((await each.run("hostname")) === host) return each;
    throw new Error(`no host is called ${host ?? "nothing"}`);
  };
  return {
    kill: async (state) => {
      await (await hostOf(state)).run(`kill -KILL ${state.pid ?? 0}`);
    },
    isAlive: async (state) =>
      (await (await hostOf(state)).run(`kill -0 ${state.pid ?? 0} 2>/dev/null && echo yes || true`)) ===
      "yes",
  };
}
