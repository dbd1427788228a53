import { expect } from "chai";
import { AnsweringServer, Book } from "./counting.js";
import type { ProxyTrial } from "./proxy-trial.js";
import { cookieOf, splitRoutes, type WantedSplit } from "./split-app.js";

export function countsGoals(trial: ProxyTrial): void {
  let web: AnsweringServer;
  beforeEach(async () => (web = await AnsweringServer.start()));
  afterEach(async () => web.stop());
  const split = async (wanted: WantedSplit): Promise<void> =>
    trial.apply("a", splitRoutes({ production: web, canary: web, ...wanted }));
  /** The cookie that is given, or none. */
  const given = async (path: string, cookie?: string, mode?: string): Promise<string> => {
    const headers = {
      ...(cookie === undefined ? {} : { cookie: `sluice=${cookie}` }),
      ...(mode === undefined ? {} : { "x-client-mode": mode }),
    };
    return cookieOf(await trial.get("a", path, headers)) ?? "none";
  };

  it("marks a visitor's cookie when they reach the goal, once, and counts visitors and those", async () => {
    await split({ share: 100, goal: "/thanks" });
    const book = new Book(trial.proxy);
    expect(await given("/")).to.equal("sluice=canary.v2.v2");
    expect(await given("/thanks/not", "canary.v2.v2")).to.equal("none");
    expect(await book.of("a/v2")).to.include({ requests: 2, visitors: 1, goals: 0 });
    expect(await given("/thanks?from=mail", "canary.v2.v2")).to.equal("sluice=canary.v2.v2.g");
    expect(await given("/thanks", "canary.v2.v2.g")).to.equal("none");
    expect(await given("/", "canary.v2.v2.g")).to.equal("none");
    expect(await book.of("a/v2")).to.include({ visitors: 1, goals: 1 });
    expect(await given("/thanks")).to.equal("sluice=canary.v2.v2.g");
    expect(await book.of("a/v2")).to.include({ requests: 6, visitors: 2, goals: 2 });
    expect(await given("/thanks", "production.v1.v2")).to.equal("sluice=production.v1.v2.g");
    expect(await book.of("a/v1")).to.include({ visitors: 0, goals: 1 });
  });

  it("counts who came before the test, or was at another one's goal, as new visitors of this one", async () => {
    await split({ share: 30, goal: "/thanks" });
    const book = new Book(trial.proxy);
    expect(await given("/", "production.v1")).to.equal("sluice=production.v1.v2");
    expect(await given("/thanks", "production.v1")).to.equal("sluice=production.v1.v2.g");
    expect(await book.of("a/v1")).to.include({ visitors: 2, goals: 1 });
    expect(await given("/", "production.v1.v9.g")).to.equal("sluice=production.v1.v2");
    expect(await given("/thanks", "production.v1.v9.g")).to.equal("sluice=production.v1.v2.g");
    expect(await book.of("a/v1")).to.include({ visitors: 4, goals: 2 });
  });

  it("gives the cookie of a test back when that is over, without counting again", async () => {
    await split({ share: 30 });
    for (const cookie of ["production.v1.v9", "production.v1.v9.g"])
      expect(await given("/thanks", cookie)).to.equal("sluice=production.v1");
    expect(await new Book(trial.proxy).of("a/v1")).to.include({ visitors: 0, goals: 0 });
  });

  it("marks nobody by an answer from 400 on", async () => {
    for (const goal of ["/404", "/500"]) {
      await split({ share: 100, goal });
      expect(await given(goal, "canary.v2.v2"), goal).to.equal("none");
      expect(await given(goal), goal).to.equal("sluice=canary.v2.v2");
    }
    expect(await new Book(trial.proxy).of("a/v2")).to.include({ visitors: 2, goals: 0 });
  });

  it("takes visitors who were on another release for new ones, at the goal too", async () => {
    await split({ share: 100, goal: "/thanks" });
    expect(await given("/", "canary.v9.v9.g")).to.equal("sluice=canary.v2.v2");
    expect(await given("/thanks", "canary.v9.v9.g")).to.equal("sluice=canary.v2.v2.g");
    expect(await new Book(trial.proxy).of("a/v2")).to.include({ visitors: 2, goals: 1 });
  });

  it("marks and counts nobody who asks, and nobody while the share is 0", async () => {
    await split({ share: 50, goal: "/thanks" });
    for (const cookie of [undefined, "canary.v2"])
      for (const mode of ["green", "blue"]) expect(await given("/thanks", cookie, mode)).to.equal("none");
    expect(cookieOf(await trial.get("v2.a", "/thanks", { cookie: "sluice=canary.v2" }))).to.equal(undefined);
    await split({ share: 0, goal: "/thanks" });
    for (const cookie of [undefined, "canary.v2"]) expect(await given("/thanks", cookie)).to.equal("none");
    const book = new Book(trial.proxy);
    expect(await book.of("a/v1")).to.include({ requests: 4, visitors: 0, goals: 0 });
    expect(await book.of("a/v2")).to.include({ requests: 3, visitors: 0, goals: 0 });
  });

  it("counts a visitor of a canary without production once", async () => {
    await split({ production: undefined, share: 100, goal: "/thanks" });
    expect(await given("/")).to.equal("sluice=canary.v2.v2");
    expect(await given("/", "canary.v2.v2")).to.equal("none");
    expect(await given("/thanks", "canary.v2.v2")).to.equal("sluice=canary.v2.v2.g");
    expect(await given("/thanks", "canary.v2.v2.g")).to.equal("none");
    expect(await new Book(trial.proxy).of("a/v2")).to.include({ requests: 4, visitors: 1, goals: 1 });
  });
}
