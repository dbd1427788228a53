import { expect } from "chai";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import type { AppSummary } from "../../../core/api/apps/apps.js";
import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import { Dice } from "../../support/dice.js";
import { eventually } from "../../support/eventually.js";
import { deliver, TestForge, type Push } from "../../support/git/test-forge.js";
import { leftoversOf } from "../../support/running/leftovers.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const SEED = 20_261;
const APPS = ["one", "two", "three"];
const BRANCHES = ["master", "staging", "new-cart"];
/** Of each app; fewer than are kept, so that all can be counted. */
const DELIVERIES = 30;
const KILLS = 4;
const MARK = "the-step-is-under-way";
const NO_STANDBY = { standbySeconds: 0 };

describe("deliveries while the server is killed (-9) and started again", function () {
  this.timeout(400_000);
  let sluice: TestSluice;
  const hosts: TestForge[] = [];
  before(async () => {
    // What a delivery asks for must not be done because the source was looked at.
    sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
  });
  after(async () => {
    for (const host of hosts) await host.dispose();
    await sluice.dispose();
  });

  it("are each kept once when they were answered 202, and every branch ends on its newest commit", async () => {
    const dice = new Dice(SEED);
    const apps = await Promise.all(APPS.map(async (app) => makeApp(app)));
    const taken = new Map(APPS.map((app) => [app, new Set<string>()]));
    let [answered, tries] = [0, 0];
    const total = APPS.length * DELIVERIES;
    const heads = new Map<string, string>();
    const senders = apps.map(async ({ app, webhook, host, clone }) => {
      for (let count = 0; count < DELIVERIES; count++) {
        const branch = dice.oneOf(BRANCHES);
        const commit = await clone.commit({ "note.txt": `${count}` });
        await host.moveBranch(clone, branch, commit);
        heads.set(`${app} ${branch}`, commit);
        const id = `${app}-${count}`;
        const again = dice.next() < 0.2 ? 2 : 1;
        for (let turn = 0; turn < again; turn++)
          await eventually(
            `${id} is answered`,
            async () => {
              tries++;
              return isTaken(await statusOf(webhook, { branch, commit, id }));
            },
            60_000,
          );
        taken.get(app)?.add(id);
        answered++;
      }
    });
    let isOver = false;
    const killer = (async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        // At random within its part of them.
        const at = ((kill + dice.next()) * total) / KILLS;
        await eventually(`${at} were answered`, () => isOver || answered >= at, 60_000);
        await sluice.kill();
        await sluice.up();
      }
    })();
    await Promise.all([Promise.all(senders).finally(() => (isOver = true)), killer]);
    expect(tries).to.be.greaterThan(total);

    for (const { app } of apps) {
      const all = await allDone(app);
      expect(all.map(({ id }) => id).sort(), app).to.deep.equal([...(taken.get(app) ?? [])].sort());
      expect(all.map(({ number }) => number).sort((a, b) => Number(a) - Number(b))).to.deep.equal(
        Array.from({ length: DELIVERIES }, (_, index) => index + 1),
      );
      for (const { results, updates } of all) expect(results).to.have.length(updates.length);
      expect(
        all.flatMap(({ results }) => results).filter(({ outcome }) => outcome === "failed"),
      ).to.deep.equal([]);
    }
    const { apps: shown } = await sluice.read<{ apps: AppSummary[] }>("status");
    for (const { app } of apps) {
      const tracks = shown.find((summary) => summary.app === app)?.tracks ?? [];
      const expected = { production: "master", canary: "staging", "new-cart": "new-cart" };
      expect(Object.fromEntries(tracks.map(({ track, commit }) => [track, commit])), app).to.deep.equal(
        Object.fromEntries(
          Object.entries(expected).map(([track, branch]) => [track, heads.get(`${app} ${branch}`)]),
        ),
      );
      await nothingIsLeft(app, tracks);
    }
    expect((await readdir(join(sluice.home, "git"))).filter((name) => name.endsWith(".key"))).to.deep.equal(
      [],
    );
  });

  for (const [step, { appJson, phases }] of Object.entries({
    "its gates": {
      appJson: (once: string) => ({ sluice: { ...NO_STANDBY, gates: { slow: once } } }),
      phases: ["v3 settled live", "v2 failed no"],
    },
    postdeploy: {
      appJson: (once: string) => ({ sluice: NO_STANDBY, scripts: { dokku: { postdeploy: once } } }),
      phases: ["v2 settled live"],
    },
  })) {
    it(`are done again when the release they asked for was in ${step}`, async () => {
      const app = `killed-in-${step.replace(/\W+/g, "-")}`;
      const { webhook, host, clone } = await makeApp(app);
      const first = await clone.git("rev-parse", "HEAD");
      await host.moveBranch(clone, "master", first);
      expect(await statusOf(webhook, { branch: "master", commit: first })).to.equal(202);
      expect((await allDone(app))[0]?.results[0]).to.include({ outcome: "released", release: "v1" });

      const commit = await clone.commit({ "app.json": JSON.stringify(appJson(onceOnly(sluice.shared))) });
      await host.moveBranch(clone, "master", commit);
      expect(await statusOf(webhook, { branch: "master", commit, id: "killed" })).to.equal(202);
      await eventually(`${step} runs`, async () =>
        (await sluice.cli("logs", app, "--release", "v2")).stdout.includes(MARK),
      );
      await sluice.kill();
      expect((await sluice.get(app)).status).to.equal(200);
      await sluice.up();
      const delivery = (await allDone(app)).find(({ id }) => id === "killed");
      expect(delivery?.results).to.have.length(1);
      expect(delivery?.results[0]?.outcome).to.match(/^(released|nothing)$/);
      const { apps } = await sluice.read<{ apps: AppSummary[] }>("status");
      const tracks = apps.find((summary) => summary.app === app)?.tracks ?? [];
      expect(tracks.map((track) => track.commit)).to.deep.equal([commit]);
      const releases = await sluice.read<ReleaseSummary[]>(`apps/${app}/releases`);
      expect(
        releases.slice(0, -1).map(({ release, phase, traffic }) => `${release} ${phase} ${traffic}`),
      ).to.deep.equal(phases);
      await nothingIsLeft(app, tracks);
    });
  }

  async function makeApp(
    app: string,
  ): Promise<{ app: string; webhook: WebhookAnswer; host: TestForge; clone: TestClone }> {
    const host = await TestForge.start();
    hosts.push(host);
    const clone = await host.clone(tinyApp({ "app.json": JSON.stringify({ sluice: NO_STANDBY }) }));
    const webhook = await sluice.json<WebhookAnswer>("webhook", app, "--source", host.fileUrl);
    return { app, webhook, host, clone };
  }

  async function deliveries(app: string): Promise<DeliveryAnswer[]> {
    return deliveriesOf(sluice, app);
  }

  async function allDone(app: string): Promise<DeliveryAnswer[]> {
    return eventually(
      `all deliveries of ${app} are done`,
      async () => {
        const all = await deliveries(app);
        return all.every(({ state }) => state === "done") && all;
      },
      60_000,
    );
  }

  /** Of what is not served. */
  async function nothingIsLeft(app: string, tracks: AppSummary["tracks"]): Promise<void> {
    const ids = tracks.map(({ release }) => `${app}.${release}.web.1`).sort();
    let open: ReleaseSummary[] = [];
    await eventually(
      () => `replaced releases retire: ${JSON.stringify(open)}`,
      async () => {
        const all = await sluice.read<ReleaseSummary[]>(`apps/${app}/releases`);
        open = all.filter(({ phase, traffic }) =>
          traffic === "live" ? phase !== "settled" : !["retired", "failed"].includes(phase),
        );
        return open.length === 0;
      },
      60_000,
    );
    // HAProxy lets a server go when it has swept.
    await eventually("only what is served is left", async () => {
      const { jobs, instances, servers } = await leftoversOf(sluice, app);
      expect({ jobs, instances, servers }).to.deep.equal({ jobs: [], instances: ids, servers: ids });
      return true;
    });
  }
});

describe("deliveries while Redis is away", function () {
  this.timeout(120_000);

  it("are answered 503, never 202, and taken again once it is back", async () => {
    const sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
    const host = await TestForge.start();
    const steer = async (character: string): Promise<void> =>
      writeFile(join(sluice.home, "services/redis/supervise/control"), character);
    try {
      const clone = await host.clone(tinyApp());
      const commit = await clone.git("rev-parse", "HEAD");
      await host.moveBranch(clone, "master", commit);
      const webhook = await sluice.json<WebhookAnswer>("webhook", "shop", "--source", host.fileUrl);
      const taken: string[] = [];
      const refused: string[] = [];
      const others: number[] = [];
      const send = async (id: string): Promise<void> => {
        const status = await statusOf(webhook, { branch: "master", commit, id });
        if (status === 202) taken.push(id);
        else if (status === 503) refused.push(id);
        else others.push(status);
      };
      const stopped = (async () => {
        await eventually("some were taken", () => taken.length >= 20);
        await steer("d");
        await eventually("some were refused", () => refused.length >= 20);
        await steer("u");
        await eventually(
          "the server has it again",
          async () => (await sluice.control("/healthz")).status === 200,
        );
      })();
      let isOver = false;
      const senders = Array.from({ length: 4 }, async (_, sender) => {
        for (let count = 0; !isOver; count++) await send(`${sender}-${count}`);
      });
      await stopped.finally(() => (isOver = true));
      await Promise.all(senders);
      expect(others).to.deep.equal([]);

      await send("afterwards");
      expect(taken).to.include("afterwards");
      // A 202 is a promise, a 503 is none: what Redis had written as it went may be there.
      const connection = await sluice.redis();
      const ids = await connection.redis.zrange("sluice:delivery-ids:shop", "0", "-1");
      connection.close();
      expect(taken.filter((id) => !ids.includes(id))).to.deep.equal([]);
      await eventually("all is done", async () =>
        (await deliveriesOf(sluice, "shop")).every(({ state }) => state === "done"),
      );
      expect((await sluice.get("shop")).body).to.equal("v1 web.1");
    } finally {
      await host.dispose();
      await sluice.dispose();
    }
  });
});

/** A script that hangs the first time it runs, wherever it is run from. */
/** `shared`: a folder that outlives the script. */
function onceOnly(shared: string): string {
  const ran = `"${shared}/ran-$SLUICE_APP"`;
  return `test -e ${ran} || { touch ${ran}; echo ${MARK}; sleep 300; }`;
}

/** 0: there was no answer. */
async function statusOf(webhook: WebhookAnswer, push: Push): Promise<number> {
  return deliver(webhook, push).then(
    ({ status }) => status,
    () => 0,
  );
}

/** 200: it was stored before, and its answer did not arrive. */
function isTaken(status: number): boolean {
  if (status === 202 || status === 200) return true;
  if (status === 0 || status === 503) return false;
  throw new Error(`a delivery was answered ${status}`);
}

async function deliveriesOf(sluice: TestSluice, app: string): Promise<DeliveryAnswer[]> {
  const authorization = `Bearer ${await sluice.token()}`;
  const { body } = await sluice.control(`/api/apps/${app}/deliveries`, { authorization });
  // As the API documents it.
  return JSON.parse(body) as DeliveryAnswer[];
}
