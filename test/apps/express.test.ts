import { expect } from "chai";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("an Express app", function () {
  this.timeout(120_000);
  let app: FixtureApp;
  let output: string;

  before(async () => {
    app = await FixtureApp.prepare("express");
    ({ output } = await app.push());
  });
  after(async () => app.dispose());

  it("is installed from the registry and passes its tests on the way", () => {
    expect(output)
      .to.include("installed by npm ci")
      .and.match(/test passed in [\d.]+ s/);
  });

  it("serves its pages and files", async () => {
    const page = await app.ask("/");
    expect(page.status).to.equal(200);
    expect(page.headers["content-type"]).to.equal("text/html; charset=utf-8");
    expect(page.body).to.include("<h1>Notes</h1>");
    expect((await app.ask("/style.css")).body).to.include("color");
    expect((await app.ask("/nothing")).status).to.equal(404);
  });

  it("takes a form and sends the visitor back", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await app.ask("/notes", { method: "POST", headers, body: "note=buy+milk" });
    expect([answer.status, answer.headers.location]).to.deep.equal([302, "/"]);
    expect((await app.ask("/")).body).to.include("<li>buy milk</li>");
  });

  it("takes an upload of 5 MB, which it keeps in /tmp", async () => {
    const form = new FormData();
    form.append("file", new Blob(["x".repeat(5_000_000)]), "photo.txt");
    const upload = new Response(form);
    const headers = { "content-type": upload.headers.get("content-type")! };
    const body = await upload.text();
    const said = await app.read("/upload", { method: "POST", headers, body });
    expect(said).to.deep.equal({ name: "photo.txt", folder: "/tmp", length: 5_000_000 });
  });

  it("knows its visitor behind the proxy", async () => {
    const said = await app.read("/visitor");
    expect(said).to.deep.equal({ ip: "127.0.0.1", protocol: "http", hostname: "express.localhost" });
  });
});
