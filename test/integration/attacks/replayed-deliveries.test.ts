import { expect } from "chai";
import { createHmac, randomUUID } from "node:crypto";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { eventually } from "../../support/eventually.js";
import { ask } from "../../support/network/ask.js";
import { TestForge } from "../../support/git/test-forge.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";

/** One request as it went over the network; whoever saw it can send it again, with another id. */
interface Captured {
  readonly body: string;
  readonly signature: string;
}

describe("whoever has seen deliveries and sends them again", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  let forge: TestForge;
  let clone: TestClone;
  let webhook: WebhookAnswer;
  const captured: Captured[] = [];
  const app = "shop";

  before(async () => {
    sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
    forge = await TestForge.start();
    clone = await forge.clone(tinyApp());
    webhook = await sluice.json<WebhookAnswer>("webhook", app, "--source", forge.fileUrl);
    for (const note of ["1", "2"]) {
      await push(await clone.commit({ "note.txt": note }));
      await eventually(`v${note} is live`, async () => (await body()) === `v${note} web.1`);
    }
  });
  after(async () => {
    await forge.dispose();
    await sluice.dispose();
  });

  const body = async (): Promise<string> => (await sluice.get(app)).body;
  const releases = async (): Promise<number> =>
    (await sluice.read<ReleaseSummary[]>(`apps/${app}/releases`)).length;

  /** A push at the forge, and its delivery. */
  async function push(commit: string, branch = "master"): Promise<HttpAnswer> {
    await forge.moveBranch(clone, branch, commit);
    const text = JSON.stringify({ ref: `refs/heads/${branch}`, after: commit, commits: [] });
    const signature = createHmac("sha256", webhook.secret).update(text).digest("hex");
    captured.push({ body: text, signature });
    return send(captured.at(-1));
  }

  async function send(
    { body: text, signature }: Captured = { body: "", signature: "" },
  ): Promise<HttpAnswer> {
    const { host, pathname } = new URL(webhook.url);
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${signature}`,
    };
    return ask(host, { path: pathname, method: "POST", body: text, headers });
  }

  async function done(): Promise<DeliveryAnswer> {
    return eventually("the delivery is done", async () => {
      const [newest] = await sluice.read<DeliveryAnswer[]>(`apps/${app}/deliveries`);
      return newest?.state === "done" && newest;
    });
  }

  it("deploys no old commit, under any id", async () => {
    const before = await releases();
    for (let time = 0; time < 3; time++) {
      const answer = await send(captured[0]);
      expect(answer.status).to.equal(200);
      expect(JSON.parse(answer.body)).to.deep.equal({ duplicate: true });
    }
    expect(await releases()).to.equal(before);
    expect(await body()).to.equal("v2 web.1");
  });

  it("brings nothing back that a person has rolled back", async () => {
    expect((await sluice.cli("rollback", app)).status).to.equal(0);
    expect(await body()).to.equal("v1 web.1");
    const before = await releases();
    expect((await send(captured[1])).status).to.equal(202);
    expect((await done()).results[0]).to.include({ outcome: "nothing" });
    expect(await releases()).to.equal(before);
    expect(await body()).to.equal("v1 web.1");
  });

  it("deploys the newest again where it had failed, as a forge's redelivery does", async () => {
    const commit = await clone.commit({
      "app.json": `{"sluice": {"gates": {"once": "test -e ${sluice.shared}/may-pass"}}}`,
    });
    await push(commit);
    expect((await done()).results[0]).to.include({ outcome: "failed" });
    await clone.git("init", "--quiet", `${sluice.shared}/may-pass`);
    expect((await send(captured.at(-1))).status).to.equal(202);
    expect((await done()).results[0]).to.include({ outcome: "released", commit });
  });

  it("has the source asked for a delivery that nobody has sent before: its commit must be the branch's head", async () => {
    const old = await clone.git("rev-parse", "HEAD~1");
    // A preview of this branch was never released, so nothing of ours is ahead of the old commit.
    await forge.moveBranch(clone, "feature", await clone.git("rev-parse", "HEAD"));
    const text = JSON.stringify({ ref: "refs/heads/feature", after: old, commits: [] });
    const signature = createHmac("sha256", webhook.secret).update(text).digest("hex");
    expect((await send({ body: text, signature })).status).to.equal(202);
    const [result] = (await done()).results;
    expect(result).to.include({ outcome: "superseded" });
    expect(result?.reason).to.match(/^feature is at [0-9a-f]{10} at its source by now$/);
  });

  it("does not keep a forge from going back: the branch stands at an earlier commit there", async () => {
    const old = JSON.parse(captured[1]?.body ?? "{}") as { after: string };
    const text = JSON.stringify({ ref: "refs/heads/master", after: old.after, forced: true });
    await forge.moveBranch(clone, "master", old.after);
    const signature = createHmac("sha256", webhook.secret).update(text).digest("hex");
    expect((await send({ body: text, signature })).status).to.equal(202);
    expect((await done()).results[0]).to.include({ outcome: "released", commit: old.after });
  });
});
