import { expect } from "chai";
import { once } from "node:events";
import { access, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import type { AppSummary } from "../../../core/api/apps/apps.js";
import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { DELETED, deliver, TestForge } from "../../support/git/test-forge.js";
import { SilentHost } from "../../support/network/silent-host.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const NO_STANDBY = { "app.json": JSON.stringify({ sluice: { standbySeconds: 0 } }) };

describe("the source of a webhook", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  const hosts: TestForge[] = [];
  const silent: SilentHost[] = [];
  before(async () => {
    sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
  });
  after(async () => {
    for (const host of silent) host.stop();
    for (const host of hosts) await host.dispose();
    await sluice.dispose();
  });

  it("makes no app that was destroyed while it could not be read", async () => {
    const { host, clone, webhook } = await make("gone");
    const commit = await push(host, clone, "master");
    await absent(host, async () => {
      const { number } = taken(await deliver(webhook, { branch: "master", commit }));
      await eventually("it is tried", async () =>
        (await deliveries("gone")).some((each) => each.number === number && each.state === "running"),
      );
      expect((await sluice.cli("destroy", "gone", "--yes")).status).to.equal(0);
    });
    const line = await eventually("its turn came again", async () =>
      (await sluice.serverLog())
        .split("\n")
        .find((text) => text.includes('"app":"gone"') && text.includes('"msg":"delivery"')),
    );
    expect(line).to.include("the app no longer has a webhook");
    expect((await sluice.json<{ app: string }[]>("apps")).map(({ app }) => app)).not.to.include("gone");
    expect(await exists(join(sluice.home, "apps/gone"))).to.equal(false);
    expect(await keysOf("gone")).to.deep.equal([]);
  });

  it("is asked again when it could not be read, without another delivery", async () => {
    const { host, clone } = await make("back-soon");
    const webhook = await sluice.json<WebhookAnswer>("webhook", "back-soon", "--source", host.httpUrl);
    const commit = await push(host, clone, "master");
    await host.withoutHttp(async () => {
      let refused = 0;
      const closed = createServer((socket) => {
        refused++;
        socket.destroy();
      }).listen(Number(new URL(host.httpUrl).port), "127.0.0.1");
      await once(closed, "listening");
      taken(await deliver(webhook, { branch: "master", commit }));
      await eventually("it is tried in vain", () => refused > 0);
      closed.close();
      await once(closed, "close");
    });
    const delivery = await eventually("it is done", async () =>
      (await deliveries("back-soon")).find(({ state }) => state === "done"),
    );
    expect(delivery.results).to.have.length(1);
    expect(delivery.results[0]).to.include({ outcome: "released", commit });
  });

  it("may have had a branch whose name is now a folder of another's, in either direction", async () => {
    const { host, clone, webhook } = await make("folders");
    const release = async (branch: string): Promise<DeliveryAnswer> =>
      done("folders", await deliver(webhook, { branch, commit: await push(host, clone, branch) }));
    expect((await release("master")).results[0]).to.include({ outcome: "released" });
    for (const [gone, branch] of [
      ["feature", "feature/login"],
      ["feature/login", "feature"],
    ] as const) {
      if (gone === "feature") await release(gone);
      expect(await liveBranches("folders")).to.deep.equal([gone, "master"]);
      // What the host had to say of that is lost.
      await clone.mustPush("--delete", gone);
      expect((await release(branch)).results[0]).to.include({ outcome: "released" });
      expect(await liveBranches("folders")).to.deep.equal([branch, "master"].sort());
    }
  });

  it("leaves nothing running when its branch cannot be moved here, and is done again by a replay", async () => {
    const { host, clone, webhook } = await make("locked");
    const first = await push(host, clone, "master");
    await done("locked", await deliver(webhook, { branch: "master", commit: first }));
    const lock = join(sluice.home, "apps/locked/repo.git/refs/heads/master.lock");
    await writeFile(lock, "");
    const commit = await push(host, clone, "master");
    const failed = await done("locked", await deliver(webhook, { branch: "master", commit }));
    expect(failed.results[0]).to.include({ outcome: "failed", code: "branch-not-moved" });
    expect(failed.results[0]?.reason).to.include("master.lock");
    const [newest] = await sluice.read<ReleaseSummary[]>("apps/locked/releases");
    expect(newest).to.include({ release: "v2", phase: "failed" });
    expect((await sluice.instances()).filter((id) => id.startsWith("locked."))).to.deep.equal([
      "locked.v1.web.1",
    ]);
    expect((await sluice.get("locked")).body).to.equal("v1 web.1");

    await rm(lock);
    await sluice.cli("deliveries", "locked", "--replay", String(failed.number));
    await eventually("it is released", async () => (await sluice.get("locked")).body === "v3 web.1");
  });

  it("leaves production as it is when its branch is deleted there", async () => {
    const { host, clone, webhook } = await make("headless");
    const commit = await push(host, clone, "master");
    await done("headless", await deliver(webhook, { branch: "master", commit }));
    await clone.mustPush("HEAD:refs/heads/other");
    await host.setHead("other");
    expect((await clone.push("--delete", "master")).output).to.include("[deleted]");
    const gone = await done("headless", await deliver(webhook, { branch: "master", commit: DELETED }));
    expect(gone.results[0]).to.include({ outcome: "nothing", reason: "production keeps running" });
    expect((await sluice.get("headless")).body).to.equal("v1 web.1");
    expect(await liveBranches("headless")).to.deep.equal(["master"]);
  });

  it("is asked whether a branch is gone, whatever a delivery says", async () => {
    const { host, clone, webhook } = await make("steady");
    for (const branch of ["master", "feature"]) {
      const commit = await push(host, clone, branch);
      await done("steady", await deliver(webhook, { branch, commit }));
    }
    const delivery = await done("steady", await deliver(webhook, { branch: "feature", commit: DELETED }));
    expect(delivery.results[0]).to.include({
      outcome: "nothing",
      reason: "the source still has the branch feature",
    });
    expect((await sluice.get("feature.steady")).status).to.equal(200);
    expect(await liveBranches("steady")).to.deep.equal(["feature", "master"]);
  });

  it("holds up the deliveries of no other app while it hangs", async () => {
    const { host, clone, webhook } = await make("swift");
    const hanging = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const app = `hanging-${index}`;
        // The first three share a host.
        const shared = index < 3 ? silent[0] : undefined;
        const each = shared ?? new SilentHost(await freePort());
        if (shared === undefined) silent.push(each);
        const known = await sluice.json<WebhookAnswer>("webhook", app, "--source", each.url);
        return { app, each, known };
      }),
    );
    for (const each of silent) await each.listen();
    for (const { known } of hanging)
      taken(await deliver(known, { branch: "master", commit: "a".repeat(40) }));
    const connections = (): number => silent.reduce((sum, { connections: { size } }) => sum + size, 0);
    await eventually("all hang", () => connections() === hanging.length);
    const commit = await push(host, clone, "master");
    const swift = await done("swift", await deliver(webhook, { branch: "master", commit }));
    expect(swift.results[0]).to.include({ outcome: "released" });
    expect(connections(), "they hang still").to.equal(hanging.length);
  });

  async function make(app: string): Promise<{ host: TestForge; clone: TestClone; webhook: WebhookAnswer }> {
    const host = await TestForge.start();
    hosts.push(host);
    const clone = await host.clone(tinyApp(NO_STANDBY));
    const webhook = await sluice.json<WebhookAnswer>("webhook", app, "--source", host.fileUrl);
    return { host, clone, webhook };
  }

  async function deliveries(app: string): Promise<DeliveryAnswer[]> {
    return sluice.read<DeliveryAnswer[]>(`apps/${app}/deliveries`);
  }

  async function done(app: string, answer: HttpAnswer): Promise<DeliveryAnswer> {
    const { number } = taken(answer);
    return eventually(`delivery ${number} of ${app} is done`, async () =>
      (await deliveries(app)).find((each) => each.number === number && each.state === "done"),
    );
  }

  async function liveBranches(app: string): Promise<string[]> {
    const { apps } = await sluice.read<{ apps: AppSummary[] }>("status");
    const live = new Set(apps.find((each) => each.app === app)?.tracks.map(({ release }) => release));
    const releases = await sluice.read<ReleaseSummary[]>(`apps/${app}/releases`);
    return releases
      .filter(({ release }) => live.has(release))
      .map(({ branch }) => branch)
      .sort();
  }

  /** Redis keys that have an app's name in them, or a field that is it; the proxies' own aside. */
  async function keysOf(app: string): Promise<string[]> {
    const connection = await sluice.redis();
    const { redis } = connection;
    try {
      const named = await redis.keys(`*:${app}`);
      const members = await redis.smembers("sluice:delivery-apps");
      const webhooks = await redis.hkeys("sluice:webhooks");
      return [...named, ...[...members, ...webhooks].filter((name) => name === app)];
    } finally {
      connection.close();
    }
  }
});

describe("a source that is asked now and then", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  let host: TestForge;
  let clone: TestClone;
  beforeEach(async () => {
    sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 1 } } });
    host = await TestForge.start();
    clone = await host.clone(tinyApp());
    await clone.mustPush();
  });
  afterEach(async () => {
    await host.dispose();
    await sluice.dispose();
  });

  it("holds up no other while it hangs", async () => {
    const silent = new SilentHost(await freePort());
    try {
      await sluice.cli("webhook", "hanging", "--source", silent.url);
      await sluice.cli("webhook", "swift", "--source", host.fileUrl);
      await silent.listen();
      await eventually("one hangs", () => silent.connections.size > 0);
      await push(host, clone, "master");
      await eventually("the other is released", async () => (await sluice.get("swift")).status === 200);
      expect(silent.connections.size, "it hangs still").to.equal(1);
    } finally {
      silent.stop();
    }
  });

  it("is made up for when it comes back, whether it was ever read before or not", async () => {
    await sluice.cli("webhook", "known", "--source", host.fileUrl);
    const commit = await absent(host, async () => {
      const webhooks = [
        await sluice.json<WebhookAnswer>("webhook", "fresh", "--source", host.fileUrl),
        await sluice.json<WebhookAnswer>("webhook", "known"),
      ];
      const made = await clone.commit({ "note.txt": "while it was away" });
      for (const webhook of webhooks) taken(await deliver(webhook, { branch: "master", commit: made }));
      await eventually(
        "both are given up",
        async () => {
          const all = await Promise.all(["fresh", "known"].map(resultsOf));
          return all.every((codes) => codes.includes("source-unreachable"));
        },
        30_000,
      );
      return made;
    });
    await clone.mustPush();
    for (const app of ["fresh", "known"])
      await eventually(`${app} is released`, async () => {
        const { apps } = await sluice.read<{ apps: AppSummary[] }>("status");
        return apps.some((each) => each.app === app && each.tracks.some((track) => track.commit === commit));
      });
  });

  async function resultsOf(app: string): Promise<(string | undefined)[]> {
    const all = await sluice.read<DeliveryAnswer[]>(`apps/${app}/deliveries`);
    return all.flatMap(({ results }) => results.map(({ code }) => code));
  }
});

async function push(host: TestForge, clone: TestClone, branch: string): Promise<string> {
  const commit = await clone.commit({ "note.txt": String(Math.random()) });
  const { status, output } = await clone.push(`+HEAD:refs/heads/${branch}`);
  expect(status, output).to.equal(0);
  await host.publish();
  return commit;
}

/** The source cannot be read meanwhile. */
async function absent<T>(host: TestForge, job: () => Promise<T>): Promise<T> {
  await rename(host.repository, `${host.repository}.away`);
  try {
    return await job();
  } finally {
    await rename(`${host.repository}.away`, host.repository);
  }
}

function taken(answer: HttpAnswer): { number: number } {
  expect(answer.status, answer.body).to.equal(202);
  return JSON.parse(answer.body) as { number: number };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
