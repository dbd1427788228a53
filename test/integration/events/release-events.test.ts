import { expect } from "chai";
import { Webhook } from "standardwebhooks";
import type { AppEvent } from "../../../server/events/app-event.js";
import { eventually } from "../../support/eventually.js";
import { HttpReceiver } from "../../support/network/http-receiver.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";

const APP = "shop";

type Told = AppEvent & { readonly type: string };

interface Pushed {
  readonly commit: string;
  readonly status: number;
  readonly release: string | undefined;
}

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
    await early.mustPush();
    await clone.mustPush();
    const added = await sluice.cli("notify", APP, "add", receiver.url("/hook"));
    secret = added.stdout.split("\n")[0] ?? "";
  });
  after(async () => {
    await receiver.stop();
    await sluice.dispose();
  });

  let seen = 0;
  beforeEach(() => (seen = receiver.received.length));
  /** The next that was told in this test, its signature verified. */
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
  /** A good commit, but for `files`; `release` is what came of it. */
  const push = async (files: Record<string, string> = {}, to = "master"): Promise<Pushed> => {
    const good = { "server.js": TINY_SERVER, "package.json": undefined, "note.txt": String(Math.random()) };
    const commit = await clone.commit({ ...good, ...files });
    const { status } = await clone.push(`+HEAD:${to}`);
    const [newest] = await sluice.read<{ release: string; commit: string }[]>(`apps/${APP}/releases`);
    expect(newest?.commit).to.equal(commit);
    return { commit, status, release: newest?.release };
  };
  const pushCanary = async (files: Record<string, string> = {}): Promise<Pushed> => {
    const pushed = await push(files, "staging");
    const { commit, release } = pushed;
    const canary = { type: "canary.live", release, commit, branch: "staging" };
    expect(await next()).to.include({ ...canary, track: "canary", url: url("canary.") });
    return pushed;
  };
  const url = (track = ""): string => `http://${track}${APP}.localhost:${sluice.httpPort}`;

  it("live, after a push", async () => {
    const { commit, release } = await push();
    const told = { type: "release.live", app: APP, release, commit, branch: "master", url: url() };
    expect(await next()).to.include({ ...told, track: "production" });
  });

  it("failed, with the reason, after a push that was declined", async () => {
    const scripts = { test: "exit 3" };
    const { commit, status, release } = await push({ "package.json": JSON.stringify({ scripts }) });
    expect(status).not.to.equal(0);
    const told = await next();
    expect(told).to.include({ type: "release.failed", release, commit });
    expect(told.reason).to.match(/gate/i);
  });

  it("rolled back, by hand", async () => {
    const { release } = await push();
    await push();
    for (let pushed = 0; pushed < 2; pushed++) await next();
    expect((await sluice.cli("rollback", APP)).status).to.equal(0);
    expect(await next()).to.include({ type: "release.rolled-back", release, track: "production" });
  });

  it("live as the canary, and promoted", async () => {
    const { commit, release } = await pushCanary();
    expect((await sluice.cli("promote", APP)).status).to.equal(0);
    const promoted = { type: "canary.promoted", release, commit, branch: "staging" };
    expect(await next()).to.include({ ...promoted, track: "production", url: url() });
  });

  it("aborted, by hand", async () => {
    const { commit, release } = await pushCanary();
    expect((await sluice.cli("abort", APP)).status).to.equal(0);
    const told = await next();
    expect(told).to.include({ type: "canary.aborted", release, commit, track: "canary" });
    expect(told.reason).to.equal("Aborted by hand (admin).");
    expect((await sluice.cli("abort", APP)).status).to.equal(1);
  });

  it("gone with its branch", async () => {
    const { commit, release } = await pushCanary();
    await clone.mustPush("--delete", "staging");
    const told = await next();
    expect(told).to.include({ type: "canary.aborted", release, commit, track: "canary" });
    expect(told.reason).to.equal("Its branch staging was deleted (admin).");
  });

  it("aborted, by the verdict", async () => {
    const answer = 'response.end(RELEASE + " " + DYNO);';
    const broken = `response.statusCode = request.headers["x-visit"] ? 500 : 200; ${answer}`;
    const { commit, release } = await pushCanary({ "server.js": TINY_SERVER.replace(answer, broken) });
    const over = new AbortController();
    const visitors = (async () => {
      while (!over.signal.aborted) await sluice.get(APP, "/", { "x-visit": "1" });
    })();
    const told = await next().finally(() => over.abort());
    await visitors;
    expect(told).to.include({ type: "canary.aborted", release, commit });
    expect(told.reason).to.match(/error/i);
  });

  it("each once, and nothing of another app", async () => {
    await (await sluice.clone("other", tinyApp())).mustPush("+HEAD:master");
    const { commit } = await push();
    expect(await next()).to.include({ type: "release.live", commit });
    expect(receiver.received.length).to.equal(seen);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).to.equal(seen);
  });
});
