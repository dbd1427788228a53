import { expect } from "chai";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";

export function leadsHosts(trial: ProxyTrial): void {
  it("leads a host to its track's release, a release's own host to it, and says which", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one], 2: [two] } }));
    const answer = await trial.get("a");
    expect(answer).to.include({ status: 200, body: "v1" });
    expect(answer.headers).to.include({ "sluice-release": "v1", "sluice-track": "production" });
    const early = await trial.get("v2.a");
    expect(early.body).to.equal("v2");
    expect(early.headers).to.include({ "sluice-release": "v2", "sluice-track": "production" });
    expect((await trial.ask({ headers: { host: "A.LOCALHOST:8080" } })).body).to.equal("v1");
  });

  it("names the track that a release was made for", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] }, track: "new-cart" }));
    expect((await trial.get("new-cart.a")).headers).to.include({ "sluice-track": "new-cart" });
    expect((await trial.get("v1.a")).headers).to.include({ "sluice-track": "new-cart" });
  });

  it("lets no app say that it is another release, and keeps all else that it says", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] }, sticky: [1] }));
    const { headers } = await trial.get("a", "/forge");
    expect(headers).to.include({ "sluice-release": "v1", "sluice-track": "production", "x-own": "kept" });
    expect(headers["set-cookie"]).to.include("session=1; Path=/").and.have.length(2);
  });

  it("hands on method, host, path and body as they came", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const body = "x".repeat(200_000);
    const { body: seen } = await trial.post("a", "/seen/a%20b?c=%2F&d", body);
    expect(JSON.parse(seen)).to.deep.equal({
      method: "POST",
      host: "a.localhost",
      url: "/seen/a%20b?c=%2F&d",
      length: body.length,
    });
  });

  it("answers 404 for a host that nobody has", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }), "a/production");
    for (const host of ["b", "v2.a", "x.a", "a.a"])
      expect((await trial.get(host)).status, host).to.equal(404);
    for (const host of ["example.com", "localhost.example.com", "a.localhost.example.com"])
      expect((await trial.ask({ headers: { host } })).status, host).to.equal(404);
    expect(one.requests).to.equal(0);
  });

  it("answers 503 with Retry-After for an app without a release, or a release without a server", async () => {
    await trial.apply("a", routesOf("a", { releases: {} }));
    await trial.apply("b", routesOf("b", { live: 1, releases: { 1: [] } }));
    for (const host of ["a", "b", "v1.b"]) {
      const answer = await trial.get(host);
      expect(answer.status, host).to.equal(503);
      expect(Number(answer.headers["retry-after"]), host).to.be.greaterThan(0);
    }
    expect([...(await trial.proxy.apps())]).to.have.members(["a", "b"]);
  });

  it("leads a bare host or address to the fallback, if there is one", async () => {
    const one = await trial.upstream("v1");
    const routes = routesOf("a", { live: 1, releases: { 1: [one] } });
    const bare = ["localhost", "LOCALHOST:8080", "127.0.0.1", "192.0.2.7:80", "[::1]", "[2001:db8::7]:8080"];
    await trial.apply("a", routes, "a/production");
    for (const host of bare) expect((await trial.ask({ headers: { host } })).body, host).to.equal("v1");
    await trial.apply("a", routes, undefined);
    for (const host of bare) expect((await trial.ask({ headers: { host } })).status, host).to.equal(404);
  });

  it("leads names one level below a wildcard, unless they are named, and no others", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    const a = routesOf("a", { live: 1, releases: { 1: [one] } });
    const b = routesOf("b", { live: 2, releases: { 2: [two] } });
    const hosts = new Map([...a.hosts, ["*.example.com", "a/production"]]);
    await trial.apply("a", { ...a, hosts });
    await trial.apply("b", { ...b, hosts: new Map([...b.hosts, ["b.example.com", "b/production"]]) });
    const asked = async (host: string): Promise<string | number> => {
      const { status, body } = await trial.ask({ headers: { host } });
      return status === 200 ? body : status;
    };
    for (const host of ["www.example.com", "WWW.Example.com:8080", "x-1.example.com"])
      expect(await asked(host), host).to.equal("v1");
    expect(await asked("b.example.com")).to.equal("v2");
    for (const host of ["example.com", "a.b.example.com", "example", "*"])
      expect(await asked(host), host).to.equal(404);
    await trial.apply("a", a);
    expect(await asked("www.example.com")).to.equal(404);
  });

  it("sends visitors of one host on to another, with the path and the port that they asked for", async () => {
    const one = await trial.upstream("v1");
    const a = routesOf("a", { live: 1, releases: { 1: [one] } });
    const hosts = [
      ...a.hosts,
      ["example.com", "a/production"],
      ["www.example.com", "a/@example.com"],
    ] as const;
    await trial.apply("a", { ...a, hosts: new Map(hosts) });
    const asked = async (host: string, method = "GET"): Promise<unknown> => {
      const { status, headers } = await trial.ask({ headers: { host }, method, path: "/a%20b?c=1&d" });
      return [status, headers.location];
    };
    expect(await asked("www.example.com")).to.deep.equal([301, "http://example.com/a%20b?c=1&d"]);
    expect(await asked("www.example.com:8080", "HEAD")).to.deep.equal([
      301,
      "http://example.com:8080/a%20b?c=1&d",
    ]);
    expect(await asked("www.example.com", "POST")).to.deep.equal([308, "http://example.com/a%20b?c=1&d"]);
    expect(await asked("example.com")).to.deep.equal([200, undefined]);
  });

  it("forgets an app and leaves the others alone", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    await trial.apply("ab", routesOf("ab", { live: 2, releases: { 2: [two] } }));
    await trial.apply("a", undefined);
    for (const host of ["a", "v1.a"]) expect((await trial.get(host)).status).to.equal(404);
    expect((await trial.get("ab")).body).to.equal("v2");
    expect([...(await trial.proxy.apps())]).to.deep.equal(["ab"]);
    expect(await trial.connectionsTo("a/v1")).to.equal(undefined);
  });

  it("gives a host to another app in one step", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    const [a, b] = [
      routesOf("a", { live: 1, releases: { 1: [one] } }),
      routesOf("b", { live: 2, releases: { 2: [two] } }),
    ];
    const shop = ["shop.example.com"] as const;
    await trial.proxy.apply(
      new Map([
        ["a", { ...a, hosts: new Map([...a.hosts, [...shop, "a/production"]]) }],
        ["b", b],
      ]),
      undefined,
    );
    expect((await trial.ask({ headers: { host: shop[0] } })).body).to.equal("v1");
    await trial.proxy.apply(
      new Map([
        ["b", { ...b, hosts: new Map([...b.hosts, [...shop, "b/production"]]) }],
        ["a", a],
      ]),
      undefined,
    );
    expect((await trial.ask({ headers: { host: shop[0] } })).body).to.equal("v2");
    expect((await trial.get("a")).body).to.equal("v1");
  });
}
