import { ErrorCode, OpenFeature, type Client } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { expect } from "chai";
import { Redis } from "ioredis";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FlagChange, FlagSummary } from "../../../core/api/apps/flags.js";
import { ask, type Question } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const APP = "shop";

describe("feature flags", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let redis: Redis;
  let admin: string;
  let env: Record<string, string>;
  let client: Client;
  before(async () => {
    sluice = await TestSluice.start();
    await (await sluice.clone(APP, tinyApp())).mustPush();
    ({ redis } = await sluice.redis());
    admin = await sluice.token();
    env = await envOf(APP);
    client = await sdk(env["SLUICE_FLAGS_TOKEN"]);
  });
  afterEach(async () => redis.del(`sluice:flags:${APP}`));
  after(async () => {
    await OpenFeature.close();
    redis.disconnect();
    await sluice.dispose();
  });

  const envOf = async (app: string): Promise<Record<string, string>> =>
    JSON.parse((await sluice.get(app, "/env")).body) as Record<string, string>;
  /** The OpenFeature SDK as an instance would set it up. */
  const sdk = async (token = ""): Promise<Client> => {
    const headers = { Authorization: `Bearer ${token}` };
    const domain = `with ${token}`;
    const baseUrl = fromHere(env["SLUICE_FLAGS_URL"]);
    await OpenFeature.setProviderAndWait(domain, new OFREPProvider({ baseUrl, headers }));
    return OpenFeature.getClient(domain);
  };
  const control = async (path: string, question: Question = {}): Promise<HttpAnswer> =>
    ask(`127.0.0.1:${sluice.controlPort}`, { path, ...question });
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const toggle = async (path: string): Promise<unknown> => {
    const { status, body } = await control(path, { headers: bearer(admin) });
    expect(status, body).to.equal(200);
    return JSON.parse(body);
  };
  const api = async <T>(method: string, path: string, body?: unknown, token = admin): Promise<T> => {
    const answer = await control(`/api/apps/${APP}/flags${path}`, {
      method,
      headers: { ...bearer(token), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (answer.body === "" ? answer.status : JSON.parse(answer.body)) as T;
  };
  /** What the protocol answers; `text` is sent as it is. */
  const evaluated = async (
    name: string,
    text: string,
    headers = bearer(env["SLUICE_FLAGS_TOKEN"] ?? ""),
  ): Promise<{ status: number; body: Record<string, unknown>; headers: HttpAnswer["headers"] }> => {
    const path = `/flags/${APP}/ofrep/v1/evaluate/flags${name === "" ? "" : `/${name}`}`;
    const answer = await control(path, { method: "POST", body: text, headers });
    const body = (answer.body === "" ? {} : JSON.parse(answer.body)) as Record<string, unknown>;
    return { ...answer, body };
  };
  const isOn = async (flag: string): Promise<boolean> => client.getBooleanValue(flag, false);

  describe("by URL", () => {
    it("are switched by GET and POST, with the token as bearer or in the address, and read at once", async () => {
      expect(await toggle(`/flags/${APP}/dark/1`)).to.deep.equal({
        app: APP,
        flag: "dark",
        value: true,
        before: null,
      });
      expect(await isOn("dark")).to.equal(true);
      const off = await control(`/flags/${APP}/dark/0?token=${admin}`, { method: "POST" });
      expect(JSON.parse(off.body)).to.include({ value: false, before: true });
      expect(off.headers["cache-control"]).to.equal("no-store");
      expect(await isOn("dark")).to.equal(false);
      expect(await toggle(`/flags/${APP}/dark/${encodeURIComponent('{"users":["a/b"]}')}`)).to.deep.include({
        value: { users: ["a/b"], value: true, otherwise: false },
      });
      expect(await client.getBooleanValue("dark", false, { targetingKey: "a/b" })).to.equal(true);
    });

    it("/disable/1 and /disable/0 mean disableSET of the only app", async () => {
      expect(await toggle("/disable/1")).to.include({ app: APP, flag: "disableSET", value: true });
      expect(await isOn("disableSET")).to.equal(true);
      expect(await toggle("/disable/0/")).to.include({ value: false, before: true });
      expect((await control("/disable/2", { headers: bearer(admin) })).status).to.equal(404);
    });

    it("are refused without an admin token: not by the read token, a cookie or a HEAD", async () => {
      const path = `/flags/${APP}/dark/1`;
      const read = env["SLUICE_FLAGS_TOKEN"] ?? "";
      const cookies = { cookie: `token=${admin}; sluice=${admin}; session=${admin}` };
      for (const headers of [{}, cookies, bearer("wrong"), bearer(read), { "x-api-key": admin }])
        expect((await control(path, { headers })).status).to.equal(401);
      expect((await control(`${path}?token=${read}`)).status).to.equal(401);
      expect((await control(path, { method: "HEAD", headers: bearer(admin) })).status).to.equal(404);
      expect(await redis.exists(`sluice:flags:${APP}`)).to.equal(0);
    });

    it("are not switched by a page of another site, nor ahead of a visit, though the token is right", async () => {
      const host = `127.0.0.1:${sluice.controlPort}`;
      const foreign: Record<string, string>[] = [
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" },
        { origin: "https://evil.example" },
        { origin: "null" },
        { origin: `http://127.0.0.1:${sluice.httpPort}` },
        { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
        { referer: "http://evil.example/page" },
        { "sec-fetch-site": "none", "sec-purpose": "prefetch;prerender" },
      ];
      for (const path of [`/flags/${APP}/dark/1?token=${admin}`, `/disable/1?token=${admin}`])
        for (const headers of foreign)
          for (const method of ["GET", "POST"]) {
            const { status, body } = await control(path, { method, headers });
            expect(status, JSON.stringify(headers)).to.equal(403);
            expect(body).to.include('"code":"foreign-page"').and.not.include(admin);
          }
      expect(await redis.exists(`sluice:flags:${APP}`)).to.equal(0);
      const own: Record<string, string>[] = [
        { "sec-fetch-site": "none" },
        { "sec-fetch-site": "same-origin", origin: `http://${host}`, referer: `http://${host}/` },
        { referer: `http://${host}/` },
      ];
      for (const headers of own)
        expect((await control(`/flags/${APP}/dark/1?token=${admin}`, { headers })).status).to.equal(200);
    });

    it("are refused for what they cannot be", async () => {
      const refused = async (path: string): Promise<string> => {
        const { status, body } = await control(path, { headers: bearer(admin) });
        const { code } = (JSON.parse(body) as { error: { code: string } }).error;
        return `${status} ${code}`;
      };
      expect(await refused("/flags/nowhere/dark/1")).to.equal("404 app-unknown");
      expect(await refused(`/flags/${APP}/da%20rk/1`)).to.equal("400 flag-name-invalid");
      expect(await refused(`/flags/${APP}/__proto__/1`)).to.equal("400 flag-name-invalid");
      const rule = encodeURIComponent('{"percentage": 120}');
      expect(await refused(`/flags/${APP}/dark/${rule}`)).to.equal("400 flag-value-invalid");
      expect(await refused(`/flags/${APP}/dark`)).to.equal("404 not-found");
    });
  });

  describe("by hand in Redis", () => {
    it("are obeyed at once", async () => {
      await redis.hset(`sluice:flags:${APP}`, "dark", "on");
      expect(await isOn("dark")).to.equal(true);
      await redis.hset(`sluice:flags:${APP}`, "dark", '{"track": "canary"}');
      expect(await client.getBooleanValue("dark", false, { track: "canary" })).to.equal(true);
      await redis.hdel(`sluice:flags:${APP}`, "dark");
      expect(await isOn("dark")).to.equal(false);
    });

    it("are a PARSE_ERROR when they cannot be read, and the command says why", async () => {
      await redis.hset(`sluice:flags:${APP}`, "dark", '{"percentage": "many"}');
      const { errorCode, errorMessage, value } = await client.getBooleanDetails("dark", true);
      expect([errorCode, value]).to.deep.equal([ErrorCode.PARSE_ERROR, true]);
      expect(errorMessage).to.match(/percentage/);
      expect((await sluice.cli("flags", APP)).stdout).to.match(/dark +invalid .*percentage/);
    });
  });

  describe("by command", () => {
    it("are set, shown and removed", async () => {
      expect((await sluice.cli("flags", APP, "dark", "1")).stdout).to.equal("dark is now true.");
      expect(await isOn("dark")).to.equal(true);
      await sluice.cli("flags", APP, "theme", "blue");
      expect((await sluice.cli("flags", APP)).stdout.split("\n")).to.deep.equal([
        "flag   kind     value",
        "dark   boolean  true",
        "theme  string   blue",
      ]);
      expect(await sluice.json("flags", APP)).to.deep.equal({
        dark: { value: true, kind: "boolean", text: "1" },
        theme: { value: "blue", kind: "string", text: "blue" },
      });
      expect((await sluice.cli("flags", APP, "theme")).stdout).to.equal("blue");
      expect(await sluice.json("flags", APP, "dark")).to.include({ value: true });
      expect((await sluice.cli("flags", APP, "--unset", "dark", "theme")).status).to.equal(0);
      expect(await isOn("dark")).to.equal(false);
      expect((await sluice.cli("flags", APP)).stdout).to.equal("No flags are set.");
      expect((await sluice.cli("flags", APP, "--changes")).stdout.split("\n")[1]).to.match(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +admin +theme +blue +-$/,
      );
    });

    it("are refused with a message and a hint", async () => {
      const rule = await sluice.cli("flags", APP, "dark", '{"user": ["ann"]}');
      expect(rule).to.include({ status: 1, stdout: "" });
      expect(rule.stderr).to.match(/"dark" cannot have this value: it has none of .*\n.*docs\/flags\.md/);
      expect((await sluice.cli("flags", APP, "dark")).stderr).to.match(/has no flag "dark"/);
      expect((await sluice.cli("flags", APP, "--unset", "dark")).stderr).to.match(/has no flag "dark"/);
      expect((await sluice.cli("flags", "nowhere")).stderr).to.match(/no app "nowhere"/);
    });
  });

  describe("by the API", () => {
    it("keep the type of a value, or are read as a text", async () => {
      for (const [flag, value] of Object.entries({ one: 1, text: "true", off: false, pi: 3.14 })) {
        expect(await api("PUT", `/${flag}`, { value })).to.include({ app: APP, flag, value, before: null });
      }
      await api("PUT", "/settings", { value: { value: { color: "red" } } });
      await api("PUT", "/read", { text: "1" });
      const all = await api<Record<string, FlagSummary>>("GET", "");
      expect(
        Object.fromEntries(Object.entries(all).map(([name, { kind, value }]) => [name, [kind, value]])),
      ).to.deep.equal({
        off: ["boolean", false],
        one: ["number", 1],
        pi: ["number", 3.14],
        read: ["boolean", true],
        settings: ["object", { color: "red" }],
        text: ["string", "true"],
      });
      expect(await api("DELETE", "/pi")).to.equal(204);
      expect(await api("DELETE", "/pi")).to.have.nested.property("error.code", "flag-unknown");
      expect(await api("PUT", "/x", { value: { percentage: -1 } })).to.have.nested.property(
        "error.code",
        "flag-value-invalid",
      );
      expect(await api("PUT", "/x", { value: null })).to.have.nested.property(
        "error.code",
        "request-invalid",
      );
    });

    it("record each change with who and when, the last 200, and announce it to the app", async () => {
      const [laptop = ""] = (await sluice.cli("tokens", "create", "laptop", "--may", "operate")).stdout.split(
        "\n",
      );
      const app = new Redis(fromHere(env["REDIS_URL"]));
      try {
        const heard: string[] = [];
        app.on("message", (_, flag: string) => heard.push(flag));
        await app.subscribe(`sluice:flags:${APP}`);
        const began = Date.now();
        await api("PUT", "/dark", { value: true }, laptop);
        await toggle(`/flags/${APP}/dark/true`);
        await redis.hset(`sluice:flags:${APP}`, "dark", "by-hand");
        await toggle(`/flags/${APP}/dark/0`);
        await sluice.cli("flags", APP, "--unset", "dark");
        const [third, second, first] = await api<FlagChange[]>("GET", "/changes");
        expect(first).to.include({ who: "laptop", flag: "dark", before: null, after: "true" });
        expect(second).to.include({ who: "admin", before: "by-hand", after: "0" });
        expect(third).to.include({ who: "admin", before: "0", after: null });
        expect(Date.parse(first?.at ?? "")).to.be.within(began, Date.now());
        await eventually("three announcements", () => heard.length === 3);
        expect(heard).to.deep.equal(["dark", "dark", "dark"]);
      } finally {
        app.disconnect();
      }
      for (let change = 0; change < 210; change++) await toggle(`/flags/${APP}/count/${change + 2}`);
      const changes = await api<FlagChange[]>("GET", "/changes");
      expect([changes.length, changes[0]?.after, changes[199]?.after]).to.deep.equal([200, "211", "12"]);
    });
  });

  describe("over OFREP", () => {
    it("gives the OpenFeature SDK all kinds of values, with the protocol's reasons", async () => {
      await redis.hset(`sluice:flags:${APP}`, {
        yes: "1",
        theme: "blue",
        limit: "2.5",
        settings: '{"value": {"color": "red"}}',
        split: '{"percentage": 100, "value": "new", "otherwise": "old"}',
        listed: '{"users": ["ann"], "value": 1, "otherwise": 2}',
        canary: '{"track": "canary"}',
      });
      expect(await client.getBooleanDetails("yes", false)).to.include({ value: true, reason: "STATIC" });
      expect(await client.getStringDetails("theme", "")).to.include({ value: "blue", reason: "STATIC" });
      expect(await client.getNumberDetails("limit", 0)).to.include({ value: 2.5, reason: "STATIC" });
      expect(await client.getObjectDetails("settings", {})).to.deep.include({
        value: { color: "red" },
        reason: "STATIC",
      });
      const ann = { targetingKey: "ann" };
      expect(await client.getStringDetails("split", "", ann)).to.include({ value: "new", reason: "SPLIT" });
      expect(await client.getNumberDetails("listed", 0, ann)).to.include({
        value: 1,
        reason: "TARGETING_MATCH",
      });
      expect(await client.getNumberDetails("listed", 0, { targetingKey: "bob" })).to.include({
        value: 2,
        reason: "DEFAULT",
      });
      expect(await client.getBooleanDetails("canary", false, { track: "canary" })).to.include({
        value: true,
        reason: "TARGETING_MATCH",
      });
      expect(await client.getBooleanDetails("canary", true, { track: "production" })).to.include({
        value: false,
        reason: "DEFAULT",
      });
    });

    it("gives a percentage of the users that share, each the same each time", async () => {
      await redis.hset(`sluice:flags:${APP}`, "split", '{"percentage": 30}');
      const askAll = async (): Promise<boolean[]> =>
        Promise.all(
          Array.from({ length: 300 }, async (_, user) =>
            client.getBooleanValue("split", false, { targetingKey: `user-${user}` }),
          ),
        );
      const first = await askAll();
      expect(first.filter(Boolean).length).to.be.within(50, 130);
      expect(await askAll()).to.deep.equal(first);
    });

    it("gives the SDK the protocol's errors, and the default with them", async () => {
      await redis.hset(`sluice:flags:${APP}`, {
        split: '{"percentage": 50}',
        canary: '{"track": "canary"}',
        theme: "blue",
      });
      const codeOf = async (flag: string, context = {}): Promise<unknown> => {
        const { value, reason, errorCode } = await client.getBooleanDetails(flag, true, context);
        expect([value, reason]).to.deep.equal([true, "ERROR"]);
        return errorCode;
      };
      expect(await codeOf("nothing")).to.equal(ErrorCode.FLAG_NOT_FOUND);
      expect(await codeOf("split")).to.equal(ErrorCode.TARGETING_KEY_MISSING);
      expect(await codeOf("canary", { track: 7 })).to.equal(ErrorCode.INVALID_CONTEXT);
      expect(await codeOf("theme")).to.equal(ErrorCode.TYPE_MISMATCH);
      const stranger = await sdk("wrong");
      expect(await stranger.getBooleanDetails("theme", true)).to.include({
        value: true,
        errorCode: ErrorCode.GENERAL,
      });
    });

    it("answers as the protocol says: keys, statuses, a body that cannot be read", async () => {
      await redis.hset(`sluice:flags:${APP}`, { yes: "1", split: '{"percentage": 50}' });
      const shown = async (name: string, text: string): Promise<unknown[]> => {
        const { status, body } = await evaluated(name, text);
        return [status, body["key"], body["errorCode"] ?? body["value"]];
      };
      expect(await shown("yes", "{}")).to.deep.equal([200, "yes", true]);
      expect(await shown("yes", "")).to.deep.equal([200, "yes", true]);
      expect(await shown("no", "{}")).to.deep.equal([404, "no", "FLAG_NOT_FOUND"]);
      expect(await shown("split", "{}")).to.deep.equal([400, "split", "TARGETING_KEY_MISSING"]);
      for (const text of ['{"context": [1]}', '{"context": "ann"}', "[]", "{", "7"])
        expect(await shown("yes", text), text).to.deep.equal([400, "yes", "INVALID_CONTEXT"]);
      expect(await shown("", "{")).to.deep.equal([400, undefined, "INVALID_CONTEXT"]);
    });

    it("evaluates all flags at once, and answers 304 as long as nothing has changed for this user", async () => {
      await redis.hset(`sluice:flags:${APP}`, { yes: "1", split: '{"percentage": 100}', bad: "{" });
      const ann = '{"context": {"targetingKey": "ann"}}';
      const first = await evaluated("", ann);
      expect(first.status).to.equal(200);
      const [bad, ...good] = first.body["flags"] as Record<string, unknown>[];
      expect(bad).to.include({ key: "bad", errorCode: "PARSE_ERROR" });
      expect(good).to.deep.equal([
        { key: "split", value: true, reason: "SPLIT" },
        { key: "yes", value: true, reason: "STATIC" },
      ]);
      const known = {
        ...bearer(env["SLUICE_FLAGS_TOKEN"] ?? ""),
        "if-none-match": String(first.headers.etag),
      };
      expect(await evaluated("", ann, known)).to.deep.include({ status: 304, body: {} });
      expect((await evaluated("", "{}", known)).status).to.equal(200);
      await redis.hset(`sluice:flags:${APP}`, "yes", "0");
      const changed = await evaluated("", ann, known);
      expect([changed.status, changed.headers.etag === first.headers.etag]).to.deep.equal([200, false]);
    });
  });

  describe("while Redis is away", () => {
    it("are a GENERAL error of the protocol, and come back with it", async () => {
      await redis.hset(`sluice:flags:${APP}`, "yes", "1");
      const steer = async (character: string): Promise<void> =>
        writeFile(join(sluice.home, "services/redis/supervise/control"), character);
      await steer("d");
      try {
        const { body } = await eventually("Redis is away", async () => {
          const answer = await evaluated("yes", "{}");
          return answer.status === 500 && answer;
        });
        expect(body).to.include({ key: "yes", errorCode: "GENERAL" });
      } finally {
        await steer("u");
      }
      await eventually("Redis is back", async () => isOn("yes"));
    });
  });

  describe("the read token of an app", () => {
    it("reads this app's flags alone, and so does an admin's", async () => {
      await (await sluice.clone("other", tinyApp())).mustPush();
      await redis.hset("sluice:flags:other", "yes", "1");
      await redis.hset(`sluice:flags:${APP}`, "yes", "1");
      const read = env["SLUICE_FLAGS_TOKEN"] ?? "";
      const path = "/flags/other/ofrep/v1/evaluate/flags/yes";
      expect((await control(path, { method: "POST", headers: bearer(read) })).status).to.equal(401);
      expect((await control(path, { method: "POST", headers: bearer(admin) })).status).to.equal(200);
      for (const headers of [bearer(read), { "x-api-key": read }, bearer(admin)])
        expect((await evaluated("yes", "{}", headers)).status).to.equal(200);
      for (const headers of [{}, bearer("wrong"), { cookie: `token=${read}` }])
        expect((await evaluated("yes", "{}", headers)).status).to.equal(401);
      expect((await control("/api/apps", { headers: bearer(read) })).status).to.equal(401);
      const unknown = "/flags/nowhere/ofrep/v1/evaluate/flags/yes";
      expect((await control(unknown, { method: "POST", headers: bearer(read) })).status).to.equal(401);
      expect((await control(unknown, { method: "POST", headers: bearer(admin) })).status).to.equal(404);
    });

    it("cannot be set by hand, stays over a restart, and goes with the app", async () => {
      expect((await sluice.cli("config", APP, "SLUICE_FLAGS_TOKEN=x")).stderr).to.include("set by Sluice");
      const read = env["SLUICE_FLAGS_TOKEN"] ?? "";
      await sluice.cli("down", "--keep-traffic");
      await sluice.up();
      await redis.hset(`sluice:flags:${APP}`, "yes", "1");
      expect((await evaluated("yes", "{}")).status).to.equal(200);
      await toggle(`/flags/${APP}/yes/0`);
      await sluice.cli("destroy", APP, "--yes");
      expect(await redis.exists(`sluice:flags:${APP}`, `sluice:flag-changes:${APP}`)).to.equal(0);
      expect((await evaluated("yes", "{}")).status).to.equal(401);
      await (await sluice.clone(APP, tinyApp())).mustPush();
      const again = (await envOf(APP))["SLUICE_FLAGS_TOKEN"];
      expect(again)
        .to.match(/^[0-9a-f]{64}$/)
        .and.not.equal(read);
      expect((await evaluated("yes", "{}")).status).to.equal(401);
      expect((await evaluated("yes", "{}", bearer(again ?? ""))).status).to.equal(404);
    });
  });
});
