import { expect } from "chai";
import { createHmac } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { DELETED, deliver, TestForge } from "../../support/git/test-forge.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("webhooks", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let host: TestForge;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
    host = await TestForge.start();
    clone = await host.clone(tinyApp({ "app.json": JSON.stringify({ sluice: { standbySeconds: 0 } }) }));
  });
  after(async () => {
    await host.dispose();
    await sluice.dispose();
  });

  const push = async (branch: string, files: Record<string, string> = {}): Promise<string> => {
    const commit = await clone.commit({ "note.txt": String(Math.random()), ...files });
    await clone.mustPush(`+HEAD:refs/heads/${branch}`);
    await host.publish();
    return commit;
  };
  const webhook = async (app: string, source = host.fileUrl): Promise<WebhookAnswer> =>
    sluice.json<WebhookAnswer>("webhook", app, "--source", source);
  const deliveries = async (app: string): Promise<DeliveryAnswer[]> => {
    const authorization = `Bearer ${await sluice.token()}`;
    return JSON.parse(
      (await sluice.control(`/api/apps/${app}/deliveries`, { authorization })).body,
    ) as DeliveryAnswer[];
  };
  const done = async (app: string, answer: HttpAnswer): Promise<DeliveryAnswer> => {
    expect(answer.status, answer.body).to.equal(202);
    const { number } = JSON.parse(answer.body) as { number: number };
    return eventually(`delivery ${number} is done`, async () =>
      (await deliveries(app)).find((delivery) => delivery.number === number && delivery.state === "done"),
    );
  };
  /** Production's release. */
  const serving = async (app: string): Promise<string> =>
    String((await sluice.get(app, "/", { "x-client-mode": "blue" })).headers["sluice-release"]);

  for (const [how, source] of [
    ["a folder", () => host.fileUrl],
    ["HTTP with a password", () => host.httpUrl],
    ["SSH with the app's deploy key", () => host.sshUrl],
  ] as const) {
    it(`deploys what was pushed to a repository that is read over ${how}`, async () => {
      const app = `shop-${how.split(" ")[0]?.toLowerCase() ?? ""}`;
      const commit = await push("master");
      const made = await sluice.json<WebhookAnswer>("webhook", app);
      host.deployKeys.add(made.deployKey);
      const known = await webhook(app, source());
      expect(known.problem).to.equal(undefined);
      expect(known).to.include({ secret: made.secret, deployKey: made.deployKey, url: made.url });
      expect(known.source).not.to.include("secret");
      const delivery = await done(app, await deliver(known, { branch: "master", commit }));
      expect(delivery.results).to.deep.equal([
        { branch: "master", commit, outcome: "released", release: "v1" },
      ]);
      expect(await serving(app)).to.equal("v1");
      const [release] = await sluice.read<ReleaseSummary[]>(`apps/${app}/releases`);
      expect(release).to.include({ commit, branch: "master", track: "production", traffic: "live" });
    });
  }

  describe("of one app", () => {
    const app = "shop";
    let known: WebhookAnswer;
    before(async () => {
      known = await webhook(app);
      await done(app, await deliver(known, { branch: "master", commit: await push("master") }));
    });

    it("say that a delivery came before, and do nothing", async () => {
      const commit = await push("master");
      const first = await deliver(known, { branch: "master", commit, id: "once" });
      const again = await deliver(known, { branch: "master", commit, id: "once" });
      expect([again.status, again.body]).to.deep.equal([200, '{"duplicate":true}']);
      await done(app, first);
      expect((await deliveries(app)).filter(({ id }) => id === "once")).to.have.length(1);
    });

    it("make staging the canary, another branch a preview, and remove it when the branch is gone there", async () => {
      await done(app, await deliver(known, { branch: "staging", commit: await push("staging") }));
      expect((await sluice.get(app, "/", { "x-client-mode": "green" })).headers["sluice-track"]).to.equal(
        "canary",
      );
      await done(app, await deliver(known, { branch: "new-cart", commit: await push("new-cart") }));
      expect((await sluice.get(`new-cart.${app}`)).status).to.equal(200);

      const early = await done(app, await deliver(known, { branch: "new-cart", commit: DELETED }));
      expect(early.results[0]).to.include({
        outcome: "nothing",
        reason: "the source still has the branch new-cart",
      });
      expect((await sluice.get(`new-cart.${app}`)).status).to.equal(200);

      await clone.mustPush("--delete", "new-cart");
      const gone = await done(app, await deliver(known, { branch: "new-cart", commit: DELETED }));
      expect(gone.results[0]).to.include({ outcome: "deleted" });
      expect((await sluice.get(`new-cart.${app}`)).status).to.equal(404);
    });

    it("never believe what a payload says of a commit: it must be on that branch there", async () => {
      const before = await serving(app);
      const foreign = await clone.commit({ "note.txt": "never pushed" });
      await clone.git("reset", "--hard", "HEAD~1");
      const delivery = await done(app, await deliver(known, { branch: "master", commit: foreign }));
      expect(delivery.results[0]).to.include({ outcome: "failed", code: "commit-not-on-branch" });
      const elsewhere = await push("side");
      const other = await done(app, await deliver(known, { branch: "master", commit: elsewhere }));
      expect(other.results[0]).to.include({ outcome: "failed", code: "commit-not-on-branch" });
      expect(await serving(app)).to.equal(before);
      await clone.git("reset", "--hard", "HEAD~1");
    });

    it("do not go back to a commit whose delivery was overtaken", async () => {
      const older = await push("master");
      const newer = await push("master");
      await done(app, await deliver(known, { branch: "master", commit: newer }));
      const before = await serving(app);
      const late = await done(app, await deliver(known, { branch: "master", commit: older }));
      expect(late.results[0]).to.include({ outcome: "superseded" });
      expect(late.results[0]?.reason).to.match(/^master is at [0-9a-f]{10} at its source by now$/);
      expect(await serving(app)).to.equal(before);
    });

    it("go back when the branch itself was moved back there", async () => {
      const first = await push("master");
      await done(app, await deliver(known, { branch: "master", commit: await push("master") }));
      await clone.git("reset", "--hard", "HEAD~1");
      await clone.mustPush("+HEAD:refs/heads/master");
      const back = await done(app, await deliver(known, { branch: "master", commit: first }));
      expect(back.results[0]).to.include({ outcome: "released" });
    });

    it("keep what runs when its gates fail, and say why", async () => {
      const before = await serving(app);
      const scripts = { test: "node -e 'process.exit(3)'" };
      const commit = await push("master", { "package.json": JSON.stringify({ scripts }) });
      const delivery = await done(app, await deliver(known, { branch: "master", commit }));
      expect(delivery.results[0]).to.include({ outcome: "failed", code: "gate-failed" });
      expect(await serving(app)).to.equal(before);
      await clone.git("reset", "--hard", "HEAD~1");
      await clone.mustPush("+HEAD:refs/heads/master");
    });

    it("let the newest push of a branch win over those that wait", async () => {
      const go = join(sluice.shared, "go");
      const slow = { scripts: { test: `until [ -e ${go} ]; do sleep 0.02; done` } };
      const slowest = await push("master", { "package.json": JSON.stringify(slow) });
      const first = await deliver(known, { branch: "master", commit: slowest });
      await eventually("it is under way", async () =>
        (await sluice.read<ReleaseSummary[]>(`apps/${app}/releases`)).some(
          ({ commit }) => commit === slowest,
        ),
      );
      const second = await deliver(known, { branch: "master", commit: await push("master") });
      const last = await push("master", { "package.json": "{}" });
      const newest = await deliver(known, { branch: "master", commit: last });
      await writeFile(go, "");
      const third = await done(app, newest);
      expect((await done(app, first)).results[0]).to.include({ outcome: "released" });
      expect((await done(app, second)).results[0]).to.include({
        outcome: "superseded",
        reason: `delivery ${String(third.number)} is a newer push of master`,
      });
      expect(third.results[0]).to.include({ outcome: "released", commit: last });
    });

    it("can be done again", async () => {
      const [newest] = (await deliveries(app)).filter(({ results }) => results[0]?.outcome === "released");
      const before = await serving(app);
      const replay = await sluice.cli("deliveries", app, "--replay", String(newest?.number));
      expect(replay.status, replay.stderr).to.equal(0);
      const again = await eventually("it is done", async () => {
        const [first] = await deliveries(app);
        return first?.from === "replay" && first.state === "done" && first;
      });
      expect(again.results[0]).to.include({ outcome: "released" });
      expect(await serving(app)).not.to.equal(before);
      expect((await sluice.cli("deliveries", app)).stdout).to.match(
        /replay +admin +push +202 +master released v\d+/,
      );
      expect((await sluice.cli("deliveries", app, "--replay", "9999")).stderr).to.match(/no delivery 9999/);
    });

    it("answer 204 to what deploys nothing: a ping, a tag, a branch that is not to deploy", async () => {
      const ping = await deliver(known, {
        branch: "master",
        commit: DELETED,
        headers: { "x-github-event": "ping" },
      });
      expect([ping.status, ping.body]).to.deep.equal([204, ""]);
      await sluice.cli("webhook", app, "--branches", "master", "feature/*");
      const other = await deliver(known, { branch: "experiment", commit: "a".repeat(40) });
      expect(other.status).to.equal(204);
      await eventually("it is in the log", async () => {
        expect((await deliveries(app))[0]?.reason).to.equal("none of its branches is deployed here");
        return true;
      });
      const wanted = await deliver(known, { branch: "feature/x", commit: "a".repeat(40) });
      expect((await done(app, wanted)).results[0]).to.include({ outcome: "failed" });
    });

    it("refuse what is not signed, and say why in the delivery log alone", async () => {
      const refused = async (headers: Record<string, string>, why: RegExp): Promise<void> => {
        const answer = await deliver(known, { branch: "master", commit: "a".repeat(40), headers });
        expect(answer.status).to.equal(401);
        expect(answer.body)
          .to.match(/webhook-refused/)
          .and.not.to.match(why);
        const line = await eventually("it is in the log", async () => {
          const [first] = await deliveries(app);
          return first?.state === "refused" && why.test(first.reason ?? "") && first;
        });
        expect(line).to.include({ answer: 401, from: "github", event: "push" });
      };
      await refused({ "x-hub-signature-256": "" }, /is empty/);
      await refused({ "x-hub-signature-256": `sha1=${"a".repeat(40)}` }, /begins with "sha1="/);
      await refused({ "x-hub-signature-256": "sha256=abcd" }, /has 4 digits/);
      await refused({ "x-hub-signature-256": `sha256=${"a".repeat(64)}` }, /does not match/);
    });

    it("refuse what cannot be read: no JSON, too large, an app that is not there", async () => {
      const { host: address } = new URL(known.url);
      const signed = (body: string): Record<string, string> => ({
        "x-github-event": "push",
        "x-hub-signature-256": `sha256=${createHmac("sha256", known.secret).update(body).digest("hex")}`,
      });
      const path = `/webhooks/${app}`;
      const send = async (at: string, body: string): Promise<number> =>
        (await ask(address, { path: at, method: "POST", body, headers: signed(body) })).status;
      expect(await send(path, "no json")).to.equal(400);
      expect(await send(path, "x".repeat(26 * 1024 * 1024))).to.equal(413);
      expect(await send("/webhooks/nobody", "{}")).to.equal(401);
      expect(await send("/webhooks/..%2fx;rm", "{}")).to.equal(401);
    });
  });

  it("of two apps on one repository reach each once", async () => {
    const [one, two] = [await webhook("twin-one"), await webhook("twin-two")];
    const commit = await push("master", { "package.json": "{}" });
    const answers = await Promise.all(
      [one, two].map(async (each) => deliver(each, { branch: "master", commit, id: "both" })),
    );
    for (const [index, app] of ["twin-one", "twin-two"].entries()) {
      const answer = answers[index];
      if (answer === undefined) throw new Error("no answer");
      expect((await done(app, answer)).results[0]).to.include({ outcome: "released", release: "v1" });
    }
    const again = await deliver(one, { branch: "master", commit, id: "both" });
    expect(again.status).to.equal(200);
  });

  it("say what is wrong with a source", async () => {
    const bad = await sluice.cli("webhook", "shop", "--source", "ext::sh -c touch% /tmp/x");
    expect([bad.status, bad.stderr]).to.deep.equal([1, bad.stderr]);
    expect(bad.stderr).to.match(/Sluice cannot fetch from this source/);
    const away = await sluice.cli("webhook", "shop", "--source", "http://user:hidden@127.0.0.1:1/x.git");
    expect(away.stdout)
      .to.match(/http:\/\/127\.0\.0\.1:1\/x\.git cannot be read/)
      .and.not.to.match(/hidden/);
  });
});

describe("a source", function () {
  this.timeout(60_000);
  it("is asked now and then: what a host never delivered is deployed all the same", async () => {
    const sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 1 } } });
    const host = await TestForge.start();
    try {
      const clone = await host.clone(tinyApp());
      await clone.mustPush();
      await sluice.cli("webhook", "shop", "--source", host.fileUrl);
      const commit = await clone.commit({ "note.txt": "told nobody" });
      await clone.mustPush();
      await clone.mustPush("HEAD:refs/heads/quiet");
      await eventually("both are there", async () => {
        const [one, two] = [await sluice.get("shop"), await sluice.get("quiet.shop")];
        return one.status === 200 && two.status === 200;
      });
      await clone.mustPush("--delete", "quiet");
      await eventually("the preview is gone", async () => (await sluice.get("quiet.shop")).status === 404);
      const all = await sluice.json<DeliveryAnswer[]>("deliveries", "shop");
      expect(all.map(({ from }) => from)).to.include("poll");
      expect(all.flatMap(({ results }) => results).map((result) => result.commit)).to.include(commit);
    } finally {
      await host.dispose();
      await sluice.dispose();
    }
  });
});
