import { expect } from "chai";
import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { eventually } from "../../support/eventually.js";
import { deliver, TestForge } from "../../support/git/test-forge.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("a source with more in it than a push may have", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  const forges: TestForge[] = [];

  before(async () => {
    sluice = await TestSluice.start({ settings: { limits: { pushMegabytes: 3 } } });
  });
  after(async () => {
    for (const forge of forges) await forge.dispose();
    await sluice.dispose();
  });

  for (const [how, urlOf] of [
    ["files, over HTTP", (forge: TestForge) => forge.httpUrl],
    ["objects, from a folder", (forge: TestForge) => forge.fileUrl],
  ] as const) {
    it(`is not fetched, and leaves nothing (${how})`, async () => {
      const app = `large-${forges.length}`;
      const forge = await TestForge.start();
      forges.push(forge);
      const clone = await forge.clone(tinyApp());
      const small = await clone.git("rev-parse", "HEAD");
      await writeFile(join(clone.folder, "film"), randomBytes(5_000_000));
      const large = await clone.commit({});
      await forge.moveBranch(clone, "large", large);
      await execa("git", ["-C", forge.repository, "repack", "-a", "-d", "-q"]);
      await forge.publish();
      const webhook = await sluice.json<WebhookAnswer>("webhook", app, "--source", urlOf(forge));
      await deliver(webhook, { branch: "large", commit: large });
      const [refused] = await eventually("it is tried", async () => {
        const all = await sluice.read<DeliveryAnswer[]>(`apps/${app}/deliveries`);
        return all.some(({ state }) => state === "done") && all;
      });
      expect(refused?.results[0]).to.include({ outcome: "failed", code: "source-too-large" });
      expect(refused?.results[0]?.reason).to.match(/more than 3 MB to fetch/);
      const packs = join(sluice.home, "apps", app, "repo.git/objects/pack");
      expect((await readdir(packs)).filter((name) => name.startsWith("tmp_"))).to.deep.equal([]);
      await execa("git", ["-C", forge.repository, "update-ref", "-d", "refs/heads/large"]);
      await execa("git", ["-C", forge.repository, "update-ref", "refs/heads/master", small]);
      await execa("git", ["-C", forge.repository, "-c", "gc.reflogExpire=now", "gc", "--prune=now", "-q"]);
      await forge.publish();
      await deliver(webhook, { branch: "master", commit: small });
      await eventually("the small one is live", async () => (await sluice.get(app)).status === 200);
    });
  }

  it("is not read when it has more branches than a source may have", async () => {
    const forge = await TestForge.start();
    forges.push(forge);
    const clone = await forge.clone(tinyApp());
    const commit = await clone.git("rev-parse", "HEAD");
    const refs = Array.from({ length: 1001 }, (_none, index) => `create refs/heads/b${index} ${commit}\n`);
    await clone.git("push", "--quiet", "sluice", "HEAD:master");
    await execa("git", ["-C", forge.repository, "update-ref", "--stdin"], { input: refs.join("") });
    await forge.publish();
    const webhook = await sluice.json<WebhookAnswer>("webhook", "many", "--source", forge.fileUrl);
    expect(webhook)
      .to.have.property("problem")
      .that.matches(/it has more than 1000 branches/);
  });
});
