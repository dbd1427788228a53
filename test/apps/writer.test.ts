import { expect } from "chai";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../support/eventually.js";
import { FixtureApp } from "../support/running/fixture-app.js";

const POST = { method: "POST" };

describe("an app that writes into its own folder", function () {
  this.timeout(120_000);
  let app: FixtureApp;

  before(async () => {
    app = await FixtureApp.prepare("writer");
    await app.push();
  });
  after(async () => app.dispose());

  it("works in /app, which is its home", async () => {
    expect(await app.read("/home")).to.deep.equal({ home: "/app", folder: "/app" });
  });

  it("reads back what it has uploaded, by whatever path", async () => {
    await app.read("/uploads?name=a.txt", { ...POST, body: "hello" });
    expect(await app.read("/uploads")).to.deep.equal([
      ["a.txt", "hello"],
      ["latest", "hello"],
    ]);
  });

  it("appends to, replaces and removes what was committed", async () => {
    await app.read("/log", { ...POST, body: "second" });
    expect(await app.read("/log")).to.equal("first\nsecond\n");
    await app.read("/settings", { ...POST, body: '{"colour":"red"}' });
    expect(await app.read("/settings")).to.deep.equal({ colour: "red" });
    await app.read("/public", { method: "DELETE" });
    expect(await app.read("/files")).not.to.include("public");
  });

  it("has lost all of it after a restart, and finds its release as it was pushed", async () => {
    await app.ask("/crash", POST);
    await eventually("the new instance answers", async () => {
      expect(await app.read("/uploads")).to.deep.equal([]);
      return true;
    });
    expect(await app.read("/log")).to.equal("first\n");
    expect(await app.read("/settings")).to.deep.equal({ colour: "blue" });
    expect(await app.read("/files"))
      .to.include("public")
      .and.not.include("uploads");
    const tree = join(app.sluice.home, "apps/writer/releases/v1/tree");
    expect(await readdir(tree)).not.to.include("uploads");
    expect(await readFile(join(tree, "log/requests.txt"), "utf8")).to.equal("first\n");
  });
});
