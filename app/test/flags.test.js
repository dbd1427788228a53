import { expect } from "chai";
import { startOfrep } from "./support/ofrep.js";
import { serveRoutes } from "./support/routes.js";

// Without a Redis behind it: /set is open when it fails for that reason alone.
const OPEN = 503;
const REFUSED = 403;
const TOKEN = "a-token-of-the-test";
/** A busy machine answers too. */
const PATIENT_MS = 5000;

describe("flags", () => {
  let ofrep;
  let app;

  beforeEach(async () => {
    ofrep = await startOfrep({ token: TOKEN });
    app = await start({ SLUICE_FLAGS_URL: ofrep.url, SLUICE_FLAGS_TOKEN: TOKEN }, PATIENT_MS);
  });
  afterEach(async () => {
    await app.end();
    await ofrep.end();
  });

  const start = (env, flagsTimeoutMs) =>
    serveRoutes({ env: { SLUICE_TRACK: "canary", ...env }, flagsTimeoutMs });
  const set = async (from = app) => (await from.fetch("/set/a/b")).status;

  it("refuse /set while disableSET is on, and open it again at once", async () => {
    expect(await set()).to.equal(OPEN);
    ofrep.flags.set("disableSET", true);
    expect(await set()).to.equal(REFUSED);
    ofrep.flags.set("disableSET", false);
    expect(await set()).to.equal(OPEN);
    expect(ofrep.asked).to.deep.equal(
      Array(3).fill({ key: "disableSET", method: "POST", context: { track: "canary" } }),
    );
  });

  it("are asked for once by requests that come together", async () => {
    ofrep.flags.set("disableSET", true);
    await set();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => set()));
    expect(new Set(statuses)).to.deep.equal(new Set([REFUSED]));
    expect(ofrep.asked.length).to.be.below(20);
  });

  it("leave the other addresses alone, and do not hold them up", async () => {
    ofrep.flags.set("disableSET", true);
    expect((await app.fetch("/get/a")).status).to.equal(503);
    expect((await app.fetch("/version")).status).to.equal(200);
    expect(ofrep.asked).to.deep.equal([]);
  });

  it("tell a browser by a page, a program by JSON", async () => {
    ofrep.flags.set("disableSET", true);
    const page = await app.fetch("/set/a/b", { headers: { Accept: "text/html,*/*;q=0.8" } });
    expect(page.status).to.equal(REFUSED);
    expect(page.headers.get("content-type")).to.equal("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).to.include("default-src 'none'");
    expect(await page.text())
      .to.include("<h1>Writing is switched off</h1>")
      .and.include("disableSET");
    const answer = await app.fetch("/set/a/b");
    expect(answer.headers.get("vary")).to.equal("Accept");
    expect((await answer.json()).error).to.include("switched off");
  });

  it("are off when they are no booleans", async () => {
    ofrep.flags.set("disableSET", "maybe");
    expect(await set()).to.equal(OPEN);
  });

  it("are off without SLUICE_FLAGS_URL, or one that is no address", async () => {
    for (const env of [{}, { SLUICE_FLAGS_URL: "nowhere" }]) {
      const other = await start(env);
      try {
        expect(await set(other)).to.equal(OPEN);
      } finally {
        await other.end();
      }
    }
  });

  it("are off when the token is refused", async () => {
    ofrep.flags.set("disableSET", true);
    const other = await start({ SLUICE_FLAGS_URL: ofrep.url, SLUICE_FLAGS_TOKEN: "wrong" });
    try {
      expect(await set(other)).to.equal(OPEN);
    } finally {
      await other.end();
    }
  });

  it("are off while nobody has answered yet, without a long wait", async () => {
    ofrep.flags.set("disableSET", "silent");
    const impatient = await start({ SLUICE_FLAGS_URL: ofrep.url, SLUICE_FLAGS_TOKEN: TOKEN });
    try {
      const begun = performance.now();
      expect(await set(impatient)).to.equal(OPEN);
      expect(performance.now() - begun).to.be.below(2_000);
      await ofrep.end();
      expect(await set(impatient)).to.equal(OPEN);
    } finally {
      await impatient.end();
    }
  });

  it("stay as they were while the service is away or unwell, and follow it when it is back", async () => {
    ofrep.flags.set("disableSET", true);
    expect(await set()).to.equal(REFUSED);
    ofrep.flags.set("disableSET", "unwell");
    expect(await set()).to.equal(REFUSED);
    await ofrep.end();
    expect(await set()).to.equal(REFUSED);
    ofrep.flags.delete("disableSET");
    await ofrep.back();
    expect(await set()).to.equal(OPEN);
  });
});
