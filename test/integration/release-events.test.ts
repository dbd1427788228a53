import { expect } from "chai";
import { Webhook } from "standardwebhooks";
import type { AppEvent } from "../../server/notify/app-event.js";
import { expectAccepted } from "../support/accepted.js";
import { eventually } from "../support/eventually.js";
import { HttpReceiver } from "../support/http-receiver.js";
import type { TestClone } from "../support/test-clone.js";
import { TestSluice } from "../support/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../support/tiny-app.js";

const APP = "shop";

type Told = AppEvent & { readonly type: string };

describe("a receiver is told of real releases", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let receiver: HttpReceiver;
  let clone: TestClone;
  let secret: string;
  before(async () => {
    sluice = await TestSluice.start();
    receiver = await HttpReceiver.start();
    const canary = { share: 50, minRequests: 20, maxErrorShare: 0.2 };
    clone = await sluice.clone(APP, tinyApp({ "app.json": JSON.stringify({ sluice: { canary } }) }));
    const early = await sluice.clone("other", tinyApp());
    expectAccepted(await early.push());
    expectAccepted(await clone.push());
    const added = await sluice.cli("notify", APP, "add", receiver.url("/hook"));
    secret = added.stdout.split("\n")[0] ?? "";
  });
  after(async () => {
    await receiver.stop();
    await sluice.dispose();
  });

  let seen = 0;
  /** The next that was told, its signature verified. */
  const next = async (): Promise<Told> => {
    const message = await eventually("it is told", () => receiver.received[seen], 30_000);
    seen++;
    // What Node gives as one header each.
    const { type, timestamp, data } = new Webhook(secret).verify(
      message.body,
      message.headers as Record<string, string>,
    ) as { type: AppEvent["type"]; timestamp: string; data: Omit<AppEvent, "type" | "at"> };
    return { ...data, type, at: timestamp };
  };
  const push = async (
    files: Record<string, string | undefined> = {},
    to = "master",
  ): Promise<{ readonly commit: string; readonly status: number }> => {
    const commit = await clone.commit({ "note.txt": String(Math.random()), ...files });
    return { commit, status: (await clone.push(`+HEAD:${to}`)).status };
  };
  const url = (track = ""): string => `http://${track}${APP}.localhost:${sluice.httpPort}`;

  it("live, after a push", async () => {
    const { commit } = await push();
    const told = { type: "release.live", app: APP, release: "v2", commit, branch: "master", url: url() };
    expect(await next()).to.include({ ...told, track: "production" });
  });

  it("failed, with the reason, after a push that was declined", async () => {
    const scripts = { test: "exit 3" };
    const { commit, status } = await push({ "package.json": JSON.stringify({ scripts }) });
    expect(status).not.to.equal(0);
    const told = await next();
    expect(told).to.include({ type: "release.failed", release: "v3", commit });
    expect(told.reason).to.match(/gate/i);
    await clone.git("rm", "--quiet", "package.json");
  });

  it("rolled back, by hand", async () => {
    expect((await sluice.cli("rollback", APP)).status).to.equal(0);
    expect(await next()).to.include({ type: "release.rolled-back", release: "v1", track: "production" });
  });

  it("live as the canary, and promoted", async () => {
    const { commit } = await push({ "package.json": undefined }, "staging");
    const canary = { release: "v4", commit, branch: "staging" };
    expect(await next()).to.include({ type: "canary.live", ...canary, track: "canary", url: url("canary.") });
    expect((await sluice.cli("promote", APP)).status).to.equal(0);
    expect(await next()).to.include({ type: "canary.promoted", ...canary, track: "production", url: url() });
  });

  it("aborted, by hand", async () => {
    const { commit } = await push({}, "staging");
    expect(await next()).to.include({ type: "canary.live", release: "v5", commit });
    expect((await sluice.cli("abort", APP)).status).to.equal(0);
    const told = await next();
    expect(told).to.include({ type: "canary.aborted", release: "v5", commit, track: "canary" });
    expect(told.reason).to.equal("Aborted by hand (admin).");
    expect((await sluice.cli("abort", APP)).status).to.equal(1);
  });

  it("gone with its branch", async () => {
    const { commit } = await push({}, "staging");
    expect(await next()).to.include({ type: "canary.live", release: "v6", commit });
    expectAccepted(await clone.push("--delete", "staging"));
    const told = await next();
    expect(told).to.include({ type: "canary.aborted", release: "v6", commit, track: "canary" });
    expect(told.reason).to.equal("Its branch staging was deleted (admin).");
  });

  it("aborted, by the verdict", async () => {
    const answer = 'response.end(RELEASE + " " + DYNO);';
    const broken = `response.statusCode = request.headers["x-visit"] ? 500 : 200; ${answer}`;
    const files = { "server.js": TINY_SERVER.replace(answer, broken) };
    const { commit } = await push(files, "staging");
    expect(await next()).to.include({ type: "canary.live", release: "v7", commit });
    const over = new AbortController();
    const visitors = (async () => {
      while (!over.signal.aborted) await sluice.get(APP, "/", { "x-visit": "1" });
    })();
    const told = await next().finally(() => over.abort());
    await visitors;
    expect(told).to.include({ type: "canary.aborted", release: "v7", commit });
    expect(told.reason).to.match(/error/i);
  });

  it("each once, and nothing of another app", async () => {
    expectAccepted(await (await sluice.clone("other", tinyApp())).push("+HEAD:master"));
    const { commit } = await push({ "server.js": TINY_SERVER });
    expect(await next()).to.include({ type: "release.live", commit });
    expect(receiver.received.length).to.equal(seen);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).to.equal(seen);
  });
});
