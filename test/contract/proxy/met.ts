import { expect } from "chai";
import { bucketOf } from "../../../core/records/traffic/latency-buckets.js";
import { eventually } from "../../support/eventually.js";
import { AnsweringServer, Book } from "./counting.js";
import type { ProxyTrial } from "./proxy-trial.js";
import { cookieOf, splitRoutes, type WantedSplit } from "./split-app.js";

/** Answers faster than 100 ms are not slow, and those up to 300 ms not very slow. */
const SLOW = {
  canary: [bucketOf(100_000), bucketOf(300_000)],
  production: [bucketOf(100_000), bucketOf(300_000)],
};

export function countsWhatVisitorsMet(trial: ProxyTrial): void {
  let web: AnsweringServer;
  beforeEach(async () => (web = await AnsweringServer.start()));
  afterEach(async () => web.stop());
  const split = async (wanted: WantedSplit = {}): Promise<void> =>
    trial.apply("a", splitRoutes({ production: web, canary: web, share: 100, ...wanted }));
  const visit = async (path: string, cookie?: string): Promise<string> => {
    const answer = await trial.get("a", path, cookie === undefined ? {} : { cookie });
    return cookieOf(answer) ?? cookie ?? "";
  };

  it("counts a visitor who meets errors once, however many they are, from the first request on", async () => {
    await split();
    const book = new Book(trial.proxy);
    const one = await visit("/200");
    for (let request = 0; request < 20; request++) await visit("/500", one);
    expect(await book.of("a/v2")).to.include({ answers5xx: 20, visitors: 1, visitorsWithErrors: 1 });
    const other = await visit("/500");
    await visit("/500", other);
    expect(await book.of("a/v2")).to.include({ answers5xx: 22, visitors: 2, visitorsWithErrors: 2 });
  });

  it("counts a visitor once more who meets error after error, at the third", async () => {
    await split();
    const book = new Book(trial.proxy);
    const cookie = await visit("/500");
    await visit("/200", cookie);
    await visit("/500", cookie);
    expect(await book.of("a/v2")).to.include({ visitorsWithErrors: 1, visitorsWithManyErrors: 0 });
    await visit("/500", cookie);
    expect(await book.of("a/v2")).to.include({ visitorsWithErrors: 1, visitorsWithManyErrors: 1 });
    for (let request = 0; request < 9; request++) await visit("/500", cookie);
    expect(await book.of("a/v2")).to.include({ visitorsWithErrors: 1, visitorsWithManyErrors: 1 });
  });

  it("takes each request without a cookie for a visitor", async () => {
    await split();
    for (let request = 0; request < 5; request++) await visit("/500");
    expect(await new Book(trial.proxy).of("a/v2")).to.include({
      ...{ visitors: 5, visitorsWithErrors: 5, visitorsWithManyErrors: 0 },
    });
  });

  it("counts a client once that sends the same cookie again and again, whatever it is given", async () => {
    await split();
    for (let request = 0; request < 5; request++) await visit("/500", "sluice=canary.v2.v2-10000.4711");
    expect(await new Book(trial.proxy).of("a/v2")).to.include({ visitorsWithErrors: 1 });
  });

  it("counts only visitors sent by chance: none who ask for a release, none who were there before", async () => {
    await split({ slow: { canary: [0, 0], production: [0, 0] } });
    for (const cookie of ["sluice=canary.v2", "sluice=production.v1"]) await visit("/500", cookie);
    await trial.get("v2.a", "/500");
    await trial.get("a", "/500", { "x-client-mode": "green" });
    await trial.get("a", "/500", { "x-client-mode": "blue", cookie: "sluice=canary.v2.v2-10000.4711" });
    const book = new Book(trial.proxy);
    for (const release of ["a/v1", "a/v2"])
      expect(await book.of(release)).to.include({
        ...{ visitors: 0, visitorsWithErrors: 0, visitorsWithManyErrors: 0 },
        ...{ visitorsOverP90: 0, visitorsOverP99: 0 },
      });
  });

  it("counts nobody who was sent at another share, and nobody while the canary takes nobody", async () => {
    await split();
    const book = new Book(trial.proxy);
    const cookie = await visit("/200");
    await split({ share: 0 });
    await visit("/500", cookie);
    expect(await book.of("a/v1")).to.include({ answers5xx: 1, visitorsWithErrors: 0 });
    await split({ share: 50 });
    await visit("/500", cookie);
    expect(await book.of("a/v2")).to.include({ answers5xx: 1, visitors: 1, visitorsWithErrors: 0 });
    await split();
    await visit("/500", cookie);
    expect(await book.of("a/v2")).to.include({ answers5xx: 2, visitors: 1, visitorsWithErrors: 1 });
  });

  it("counts a visitor again for another canary", async () => {
    await split({ share: 99.99 });
    const book = new Book(trial.proxy);
    const before = "sluice=canary.v9.v9-9999.4711";
    const cookie = await visit("/500", before);
    expect(cookie).to.equal("sluice=canary.v2.v2-9999.4711");
    await visit("/500", cookie);
    expect(await book.of("a/v2")).to.include({ answers5xx: 2, visitors: 1, visitorsWithErrors: 1 });
  });

  it("counts a visitor whom no instance answers", async () => {
    await split();
    const book = new Book(trial.proxy);
    const cookie = await visit("/200");
    await web.stop();
    for (let request = 0; request < 3; request++) await visit("/200", cookie);
    await eventually("the failures are counted", async () => (await book.of("a/v2")).failed === 3);
    expect(await book.of("a/v2")).to.include({ visitorsWithErrors: 1, visitorsWithManyErrors: 1 });
  });

  it("counts a visitor once for an answer over each limit, by the limits of the moment", async () => {
    await split();
    const book = new Book(trial.proxy);
    const cookie = await visit("/slow?ms=150");
    expect(await book.of("a/v2")).to.include({ visitorsOverP90: 0, visitorsOverP99: 0 });
    await split({ slow: SLOW });
    await visit("/200", cookie);
    expect(await book.of("a/v2")).to.include({ visitorsOverP90: 0, visitorsOverP99: 0 });
    for (let request = 0; request < 2; request++) await visit("/slow?ms=150", cookie);
    expect(await book.of("a/v2")).to.include({ visitorsOverP90: 1, visitorsOverP99: 0 });
    for (let request = 0; request < 2; request++) await visit("/slow?ms=400", cookie);
    expect(await book.of("a/v2")).to.include({ visitorsOverP90: 1, visitorsOverP99: 1 });
    await visit("/slow?ms=400");
    expect(await book.of("a/v2")).to.include({ visitors: 2, visitorsOverP90: 2, visitorsOverP99: 2 });
  });

  it("keeps to the canary's limits on the canary, and to production's elsewhere", async () => {
    const never = [bucketOf(30_000_000), bucketOf(30_000_000)];
    await split({ slow: { canary: never, production: [0, 0] } });
    const book = new Book(trial.proxy);
    await visit("/slow?ms=20");
    expect(await book.of("a/v2")).to.include({ visitors: 1, visitorsOverP90: 0, visitorsOverP99: 0 });
    await split({ share: 0.01, slow: { canary: never, production: [0, 0] } });
    await visit("/slow?ms=20");
    expect(await book.of("a/v1")).to.include({ visitors: 1, visitorsOverP90: 1, visitorsOverP99: 1 });
  });
}
