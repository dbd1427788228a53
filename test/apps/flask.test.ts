import { expect } from "chai";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("a Flask app", function () {
  this.timeout(120_000);
  let app: FixtureApp;
  let output: string;

  before(async () => {
    app = await FixtureApp.prepare("flask");
    ({ output } = await app.push());
  });
  after(async () => app.dispose());

  it("needs no package.json, and passes its tests on the way", () => {
    expect(output)
      .to.match(/test passed in [\d.]+ s/)
      .and.not.include("npm");
  });

  it("serves its pages and keeps a visitor's session", async () => {
    const first = await app.ask("/?name=Ann");
    expect(first.body).to.include("Hello, Ann").and.include("Visit 1");
    const cookie = first.headers["set-cookie"]!.map((line) => line.split(";")[0]).join("; ");
    expect((await app.ask("/", { headers: { cookie } })).body).to.include("Visit 2");
  });

  it("takes an upload", async () => {
    const form = new FormData();
    form.append("file", new Blob(["x".repeat(1_000_000)]), "photo.txt");
    const upload = new Response(form);
    const headers = { "content-type": upload.headers.get("content-type")! };
    const body = await upload.text();
    expect(await app.read("/upload", { method: "POST", headers, body })).to.deep.equal({ length: 1_000_000 });
  });

  it("shares work between processes", async () => {
    expect(await app.read("/pool")).to.deep.equal([1, 4, 9]);
  });
});
