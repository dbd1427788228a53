import { expect } from "chai";
import { PNG } from "pngjs";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("an app with a headless browser", function () {
  this.timeout(120_000);
  let app: FixtureApp;

  before(async () => {
    app = await FixtureApp.prepare("browser");
    await app.push();
  });
  after(async () => app.dispose());

  it("reads a page of its own in Chromium, scripts and characters included", async () => {
    expect(await app.read("/text")).to.match(/Invoice\s+Total: 42 € ✓/);
  });

  it("takes a screenshot in which there is something", async () => {
    const { width, data } = PNG.sync.read(Buffer.from(await app.read<string>("/screenshot"), "base64"));
    expect(width).to.be.greaterThan(500);
    expect(new Set(data).size).to.be.greaterThan(2);
  });

  it("prints a PDF", async () => {
    expect(await app.read("/pdf")).to.equal("%PDF-");
  });

  it("forks children", async () => {
    expect(await app.read("/fork")).to.equal(6);
  });

  it("uses a native package", async () => {
    expect(await app.read("/shrink")).to.deep.equal({ format: "webp", width: 80, height: 60 });
  });
});
