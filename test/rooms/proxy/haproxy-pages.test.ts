import { expect } from "chai";
import { AnsweringServer } from "../../contract/proxy/counting.js";
import { ProxyTrial, routesOf } from "../../contract/proxy/proxy-trial.js";
import { LARGEST_ERROR_PAGE_BYTES } from "../../../server/builds/manifest/error-page.js";
import { RunningHaproxy } from "../../contract/proxy/running-haproxy.js";
import { eventually } from "../../support/eventually.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";

const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

describe("HAProxy's own pages", function () {
  this.timeout(30_000);
  const trial = new ProxyTrial(async () => RunningHaproxy.start({ requestSeconds: 1 }));
  beforeEach(async () => trial.begin());
  afterEach(async () => trial.end());

  const both = async (
    host: string,
    status: number,
    { text, title }: { text: string; title: string },
    path = "/",
  ): Promise<HttpAnswer> => {
    for (const accept of ["*/*", "application/json"]) {
      const plain = await trial.get(host, path, { accept });
      expect([plain.status, plain.headers["content-type"], plain.body]).to.eql([status, "text/plain", text]);
    }
    const html = await trial.get(host, path, BROWSER);
    expect([html.status, html.headers["content-type"]]).to.eql([status, "text/html; charset=utf-8"]);
    expect(html.body)
      .to.match(/^<!doctype html>.*<\/html>\n$/)
      .and.include(`<h1>${title}</h1>`);
    // Nothing that a browser would have to ask for.
    expect(html.body).not.to.match(/https?:|url\(|src=|href=|<script/);
    return html;
  };

  it("say that there is nothing at a host, as HTML for browsers and as a line of text for all others", async () => {
    await both("nobody", 404, {
      ...{ text: "No app is served at this host name.\n", title: "There is nothing at this address" },
    });
  });

  it("ask visitors to come back while an app has no live release", async () => {
    await trial.apply("a", routesOf("a", { releases: {} }));
    const { headers } = await both("a", 503, {
      text: "This app has no live release at the moment. Please try again shortly.\n",
      title: "This site is not there yet",
    });
    expect(headers["retry-after"]).to.equal("5");
  });

  it("ask them to come back while an app has no healthy instance", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [] } }));
    const { headers } = await both("a", 503, {
      text: "This app has no healthy instance at the moment. Please try again shortly.\n",
      title: "This site is not available at the moment",
    });
    expect(headers["retry-after"]).to.equal("5");
  });

  it("tell nothing of the inside when an instance hangs up", async () => {
    const web = await trial.upstream("v1", { hangsUp: true });
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [web] } }));
    await eventually("the instance hangs up", async () => (await trial.post("a", "/", "x")).status === 502);
    const answer = await trial.ask({
      ...{ path: "/", method: "POST", body: "x", headers: { host: "a.localhost", ...BROWSER } },
    });
    expect([answer.status, answer.headers["content-type"]]).to.eql([502, "text/html; charset=utf-8"]);
    expect(answer.body).to.include("<h1>Something went wrong</h1>");
    expect(answer.body).not.to.match(/server|gateway|proxy|sluice/i);
  });

  it("say that a request took too long", async () => {
    const web = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [web] } }));
    const headers = { host: "a.localhost", "content-length": "5", expect: "100-continue", ...BROWSER };
    const answer = await trial.ask({ method: "POST", headers });
    expect([answer.status, answer.headers["content-type"]]).to.eql([408, "text/html; charset=utf-8"]);
  });

  describe("that an app has itself", () => {
    const OWN = `<!doctype html>\n<title>Säule</title>\n<p>"100 %" & %[src] \\n {back} soon</p>\n${"<!-- ö -->".repeat(900)}`;

    it("are what browsers get while it has no instance or no release, and others get the line of text", async () => {
      const pid = await trial.running.worker();
      for (const [routes, text] of [
        [routesOf("a", { releases: {} }), "no live release"],
        [routesOf("a", { live: 1, releases: { 1: [] } }), "no healthy instance"],
      ] as const) {
        await trial.apply("a", { ...routes, errorPage: OWN });
        const html = await trial.get("a", "/", BROWSER);
        expect([html.status, html.headers["content-type"], html.headers["retry-after"]]).to.eql([
          ...[503, "text/html; charset=utf-8", "5"],
        ]);
        expect(html.body === `${OWN.replaceAll("\n", " ")}\n`, html.body.slice(0, 200)).to.equal(true);
        expect((await trial.get("a", "/", { accept: "*/*" })).body).to.include(text);
      }
      expect(await trial.running.worker()).to.equal(pid);
    });

    it("may have 12 KB, and are changed, kept over a restart and removed", async () => {
      const routes = routesOf("a", { live: 1, releases: { 1: [] } });
      const bodyOf = async (): Promise<string> => (await trial.get("a", "/", BROWSER)).body;
      for (const bytes of [1, 6143, 6144, 6145, LARGEST_ERROR_PAGE_BYTES]) {
        const errorPage = "x".repeat(bytes);
        await trial.apply("a", { ...routes, errorPage });
        expect(await bodyOf(), String(bytes)).to.equal(`${errorPage}\n`);
      }
      await trial.running.restart();
      expect(await bodyOf()).to.have.length(LARGEST_ERROR_PAGE_BYTES + 1);
      expect(await (await trial.running.again()).apps()).to.have.all.keys("a");
      await trial.apply("a", routes);
      expect(await bodyOf()).to.include("This site is not available at the moment");
    });

    it("are its own alone, and for no other error", async () => {
      const web = await trial.upstream("v1", { hangsUp: true });
      await trial.apply("a", { ...routesOf("a", { live: 1, releases: { 1: [web] } }), errorPage: OWN });
      await trial.apply("b", routesOf("b", { live: 1, releases: { 1: [] } }));
      expect((await trial.get("b", "/", BROWSER)).body).to.include("not available at the moment");
      const headers = { host: "a.localhost", ...BROWSER };
      const answer = await trial.ask({ method: "POST", body: "x", headers });
      expect(answer.body).to.include("Something went wrong");
    });
  });

  it("leave an app's own errors as they are", async () => {
    const web = await AnsweringServer.start();
    try {
      const routes = routesOf("a", { live: 1, releases: { 1: [] } });
      const release = {
        track: "production",
        servers: new Map([["w", web.address]]),
        sticky: false,
        asleep: false,
      };
      await trial.apply("a", { ...routes, releases: new Map([["a/v1", release]]) });
      for (const status of [404, 500, 503]) {
        const answer = await trial.get("a", `/${status}`, BROWSER);
        expect([answer.status, answer.body, answer.headers["content-type"]]).to.eql([
          ...[status, "answer", undefined],
        ]);
      }
    } finally {
      await web.stop();
    }
  });
});
