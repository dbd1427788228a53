import { expect } from "chai";
import { AnsweringServer, Book } from "./counting.js";
import type { ProxyTrial } from "./proxy-trial.js";
import { cookieOf, shapeOf, splitRoutes, type WantedSplit } from "./split-app.js";

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
    const answer = await trial.get("a", path, headers);
    // A ticket that was sent comes back as it was.
    return (cookie === undefined ? shapeOf(answer) : cookieOf(answer)) ?? "none";
  };

  it("marks a visitor's cookie when they reach the goal, once, and counts visitors and those", async () => {
    await split({ share: 100, goal: "/thanks" });
    const book = new Book(trial.proxy);
    expect(await given("/")).to.equal(NEW);
    expect(await given("/thanks/not", KNOWN)).to.equal("none");
    expect(await book.of("a/v2")).to.include({ requests: 2, visitors: 1, goals: 0 });
    expect(await given("/thanks?from=mail", KNOWN)).to.equal(`sluice=${KNOWN}.g`);
    expect(await given("/thanks", `${KNOWN}.g`)).to.equal("none");
    expect(await given("/", `${KNOWN}.g`)).to.equal("none");
    expect(await book.of("a/v2")).to.include({ visitors: 1, goals: 1 });
    expect(await given("/thanks")).to.equal(`${NEW}.g`);
    expect(await book.of("a/v2")).to.include({ requests: 6, visitors: 2, goals: 2 });
  });

  it("counts nobody who was kept on a track from before: chance has not sent them there", async () => {
    await split({ share: 30, goal: "/thanks" });
    const book = new Book(trial.proxy);
    expect(await given("/", "production.v1")).to.equal("none");
    expect(await given("/thanks", "production.v1")).to.equal("none");
    expect(await given("/thanks", "canary.v2")).to.equal("none");
    for (const release of ["a/v1", "a/v2"])
      expect(await book.of(release)).to.include({ visitors: 0, goals: 0 });
  });

  it("counts a visitor of an earlier test as a new one of this one, and nobody sent at another share", async () => {
    await split({ share: 100, goal: "/thanks" });
    const book = new Book(trial.proxy);
    const before = "canary.v9.v9-10000.77.g";
    expect(await given("/", before)).to.equal(`sluice=${KNOWN}`);
    expect(await given("/thanks", before)).to.equal(`sluice=${KNOWN}.g`);
    expect(await given("/thanks", "canary.v2.v2-3000.77")).to.equal("none");
    expect(await book.of("a/v2")).to.include({ visitors: 2, goals: 1 });
  });

  it("takes the cookie of a test when that is over, without counting again", async () => {
    await trial.apply("a", splitRoutes({ production: web }));
    for (const cookie of ["production.v1.v9-3000.77", "production.v1.v9-3000.77.g"])
      expect(await given("/thanks", cookie)).to.equal("sluice=");
    expect(await new Book(trial.proxy).of("a/v1")).to.include({ visitors: 0, goals: 0 });
  });

  it("marks nobody by an answer from 400 on", async () => {
    for (const goal of ["/404", "/500"]) {
      await split({ share: 100, goal });
      expect(await given(goal, KNOWN), goal).to.equal("none");
      expect(await given(goal), goal).to.equal(NEW);
    }
    expect(await new Book(trial.proxy).of("a/v2")).to.include({ visitors: 2, goals: 0 });
  });

  it("marks and counts nobody who asks, and nobody while the share is 0", async () => {
    await split({ share: 50, goal: "/thanks" });
    for (const cookie of [undefined, "canary.v2", KNOWN])
      for (const mode of ["green", "blue"]) expect(await given("/thanks", cookie, mode)).to.equal("none");
    expect(cookieOf(await trial.get("v2.a", "/thanks", { cookie: "sluice=canary.v2" }))).to.equal(undefined);
    await split({ share: 0, goal: "/thanks" });
    for (const cookie of [undefined, "canary.v2", KNOWN])
      expect(await given("/thanks", cookie)).to.equal("none");
    const book = new Book(trial.proxy);
    expect(await book.of("a/v1")).to.include({ requests: 6, visitors: 0, goals: 0 });
    expect(await book.of("a/v2")).to.include({ requests: 4, visitors: 0, goals: 0 });
  });

  it("counts a visitor of a canary without production once", async () => {
    await split({ production: undefined, share: 100, goal: "/thanks" });
    expect(await given("/")).to.equal(NEW);
    expect(await given("/", KNOWN)).to.equal("none");
    expect(await given("/thanks", KNOWN)).to.equal(`sluice=${KNOWN}.g`);
    expect(await given("/thanks", `${KNOWN}.g`)).to.equal("none");
    expect(await new Book(trial.proxy).of("a/v2")).to.include({ requests: 4, visitors: 1, goals: 1 });
  });
}

/** A visitor of the canary v2 at 100 %, and what a new one is given. */
const KNOWN = "canary.v2.v2-10000.77";
const NEW = "sluice=canary.v2.v2-10000.TICKET";
