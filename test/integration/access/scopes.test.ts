import { expect } from "chai";
import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CreatedToken, NewToken } from "../../../core/api/access/tokens.js";
import { AppError } from "../../../core/errors/app-error.js";
import { Home } from "../../../core/home.js";
import { signRecord } from "../../../core/redis/signed-record.js";
import { keys } from "../../../core/redis/keys.js";
import { hashToken, openSecretBox } from "../../../core/secrets.js";
import { expectAccepted } from "../../support/accepted.js";
import { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";

describe("a token or key for some apps", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  /** A token for shop, by what it may. */
  const tokens = new Map<string, string>();
  before(async () => {
    sluice = await TestSluice.start();
    for (const app of ["shop", "blog"]) expectAccepted(await (await sluice.clone(app, tinyApp())).push());
    for (const app of ["shop", "blog"]) await sluice.cli("config", app, "PASSWORD=hush");
    for (const may of ["read", "push", "operate", "admin"] as const)
      tokens.set(may, (await make({ name: `${may}-shop`, apps: ["shop"], may })).token);
  });
  after(async () => sluice.dispose());

  async function make(order: NewToken): Promise<CreatedToken> {
    const answer = await send("POST", "/api/tokens", await sluice.token(), order);
    expect(answer.status, answer.body).to.equal(201);
    return JSON.parse(answer.body) as CreatedToken;
  }

  async function send(method: string, path: string, token: string, body?: unknown): Promise<HttpAnswer> {
    return ask(address(), {
      method,
      path,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
  const address = (): string => `127.0.0.1:${sluice.controlPort}`;
  const as = async (may: string, method: string, path: string, body?: unknown): Promise<HttpAnswer> =>
    send(method, path, tokens.get(may) ?? "", body);
  const codeOf = ({ body }: HttpAnswer): string =>
    (JSON.parse(body) as { error: { code: string } }).error.code;

  it("shows config values to an admin alone, and their names to others", async () => {
    for (const may of ["read", "push", "operate"])
      expect(JSON.parse((await as(may, "GET", "/api/apps/shop/config")).body)).to.deep.equal({
        PASSWORD: null,
      });
    expect(JSON.parse((await as("admin", "GET", "/api/apps/shop/config")).body)).to.deep.equal({
      PASSWORD: "hush",
    });
    const shown = await sluice.cliWith({ SLUICE_TOKEN: tokens.get("read") ?? "" }, "config", "shop");
    expect(shown.stdout).to.equal("PASSWORD (only an admin sees the value)");
  });

  it("may do what its right allows, and no more", async () => {
    const allowed: Record<string, string> = {
      "GET /api/apps/shop/releases": "read",
      "POST /api/apps/shop/deliveries/7/replay": "push",
      "PUT /api/apps/shop/weight": "operate",
      "POST /api/apps/shop/notifications/test": "operate",
      "PATCH /api/apps/shop/config": "admin",
      "GET /api/apps/shop/notifications": "admin",
      "PUT /api/apps/shop/webhook": "admin",
    };
    const rights = [...tokens.keys()];
    for (const [request, least] of Object.entries(allowed)) {
      const [method = "", path = ""] = request.split(" ");
      for (const may of rights) {
        const answer = await as(may, method, path, method === "GET" ? undefined : { percent: 30 });
        const isRefused = answer.status === 403 && codeOf(answer) === "forbidden";
        expect(isRefused, `${request} with ${may}: ${answer.body}`).to.equal(
          rights.indexOf(may) < rights.indexOf(least),
        );
      }
    }
  });

  it("may do nothing to the server, whatever its right", async () => {
    for (const request of [
      ...["GET /api/tokens", "POST /api/tokens", "DELETE /api/tokens/x", "GET /api/keys", "POST /api/keys"],
      ...["GET /api/hosts", "GET /api/alerts", "GET /api/proxies", "DELETE /api/proxies/x"],
      ...["POST /api/alerts/x/silence", "DELETE /api/hosts/x"],
    ]) {
      const [method = "", path = ""] = request.split(" ");
      const answer = await as(
        "admin",
        method,
        path,
        method === "POST" ? { name: "more", may: "admin" } : undefined,
      );
      expect([answer.status, codeOf(answer)], request).to.deep.equal([403, "forbidden"]);
    }
    // A folder of this machine may be another app's repository.
    const source = `file://${sluice.home}/apps/blog/repo.git`;
    expect((await as("admin", "PUT", "/api/apps/shop/webhook", { source })).status).to.equal(403);
  });

  it("sees another app as if it were not there", async () => {
    for (const path of ["releases", "config", "logs", "flags", "scale", "traffic", "deliveries"]) {
      const [there, not] = [
        await as("admin", "GET", `/api/apps/blog/${path}`),
        await as("admin", "GET", `/api/apps/none/${path}`),
      ];
      expect(there.status, path).to.equal(404);
      expect(there.body.replaceAll("blog", "none"), path).to.equal(not.body);
      expect(not.body).not.to.include("blog");
    }
    const unmade = await make({ name: "unmade", apps: ["unmade"], may: "read" });
    const answer = await send("GET", "/api/apps/unmade/releases", unmade.token);
    expect(answer.status).to.equal(404);
    expect(answer.body).not.to.match(/shop|blog/);
    for (const path of ["/flags/blog/beta/true", "/flags/none/beta/true"])
      expect((await as("admin", "GET", path)).status, path).to.equal(404);
    const flags = "/flags/blog/ofrep/v1/evaluate/flags";
    expect((await as("read", "POST", flags, {})).status).to.equal(404);
    expect((await as("read", "GET", "/api/events?app=blog&follow=false")).status).to.equal(404);
  });

  it("is not led to another app by how its address is written", async () => {
    for (const path of [
      ...["/api/apps/shop/../blog/config", "/api/apps/shop%2f..%2fblog/config", "/api/apps/blog%00/config"],
      ...[
        "/api/apps/%62log/config",
        "/api/apps/BLOG/config",
        "/API/APPS/blog/config",
        "/api//apps/blog/config",
      ],
      ...[
        "/api/apps/blog/config/",
        "/api/apps/blog/config?app=shop",
        "/api/apps/shop/flags/../../blog/config",
      ],
      ...["/flags/shop/../blog/beta/true", "/flags/%62log/beta/true", "/git/shop.git/../blog.git/info/refs"],
      ...["/git/%62log.git/info/refs?service=git-upload-pack", "/api/events?app=shop&app=blog&follow=false"],
    ]) {
      const basic = Buffer.from(`git:${tokens.get("admin")}`).toString("base64");
      const headers = path.startsWith("/git") ? { authorization: `Basic ${basic}` } : undefined;
      const answer =
        headers === undefined ? await as("admin", "GET", path) : await ask(address(), { path, headers });
      expect(answer.status, path).to.be.within(400, 404);
      expect(answer.body, path).not.to.match(/PASSWORD|hush/);
    }
    expect((await as("admin", "HEAD", "/api/apps/blog/config")).status).to.equal(404);
  });

  it("sees its apps alone in every list", async () => {
    const answers = {
      apps: await as("read", "GET", "/api/apps"),
      status: await as("read", "GET", "/api/status"),
      events: await as("read", "GET", "/api/events?last=1000&follow=false"),
      metrics: await as("read", "GET", "/metrics"),
    };
    for (const [name, { status, body }] of Object.entries(answers)) {
      expect(status, name).to.equal(200);
      expect(body, name).to.include("shop");
      expect(body.replaceAll("blogger", ""), name).not.to.match(/blog|token\.created|sluice_host_\w+\{/);
    }
  });

  it("switches flags by URL if it may operate", async () => {
    expect((await as("push", "GET", "/flags/shop/beta/true")).status).to.equal(403);
    expect((await as("operate", "GET", "/flags/shop/beta/true")).status).to.equal(200);
    expect((await as("read", "POST", "/flags/shop/ofrep/v1/evaluate/flags", {})).status).to.equal(200);
  });

  it("fetches with read, pushes with push, and neither elsewhere", async () => {
    const git = async (may: string, app: string, ...command: string[]): Promise<string> => {
      const url = `http://git:${tokens.get(may)}@127.0.0.1:${sluice.controlPort}/git/${app}.git`;
      const { exitCode, all } = await execa("git", [...command, url], { reject: false, all: true });
      return exitCode === 0 ? "done" : all;
    };
    expect(await git("read", "shop", "ls-remote")).to.equal("done");
    expect(await git("admin", "blog", "ls-remote")).to.match(/not found|404/);
    const clone = async (may: string, app: string): Promise<TestClone> => {
      const url = `http://git:${tokens.get(may)}@127.0.0.1:${sluice.controlPort}/git/${app}.git`;
      return TestClone.make(join(sluice.folder, `by-${may}-${app}`), url, tinyApp());
    };
    const refused = await (await clone("read", "shop")).push();
    expect(refused.output).to.match(/403/);
    expect(refused.status).not.to.equal(0);
    for (const app of ["blog", "new"]) {
      const elsewhere = await (await clone("push", app)).push();
      expect(elsewhere.output, app).to.match(/not found|404/);
    }
    expectAccepted(await (await clone("push", "shop")).push("--force", "HEAD:master"));
  });

  /** A record as Sluice would have written it, had it been good for a shorter time. */
  const expired = async (text: string, key: string): Promise<string> => {
    const record = JSON.parse(text) as object;
    const box = await openSecretBox(new Home(sluice.home).key());
    return signRecord(box, { ...record, mac: undefined, expiresAt: "2026-01-31T10:00:00.000Z" }, key);
  };

  it("holds for SSH keys, too", async () => {
    const file = join(sluice.folder, "key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ann@laptop", "-f", file]);
    const options = ["IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=no", "BatchMode=yes"];
    const ssh = ["ssh", "-F", "/dev/null", "-i", file, "-o", `UserKnownHostsFile=${file}.hosts`];
    const env = { GIT_SSH_COMMAND: [...ssh, ...options.flatMap((option) => ["-o", option])].join(" ") };
    const fetch = async (app: string): Promise<string> => {
      const url = `ssh://git@127.0.0.1:${sluice.sshPort}/${app}`;
      const { exitCode, all } = await execa("git", ["ls-remote", url], { reject: false, all: true, env });
      return exitCode === 0 ? "done" : all;
    };
    const push = async (app: string): Promise<string> => {
      const url = `ssh://git@127.0.0.1:${sluice.sshPort}/${app}`;
      const { all } = await execa("git", ["push", url, "HEAD:refs/heads/topic"], {
        ...{ reject: false, all: true, env },
        cwd: join(sluice.folder, "by-push-shop"),
      });
      return all;
    };
    await sluice.cli("keys", "add", `${file}.pub`, "--app", "shop", "--may", "read");
    expect(await fetch("shop")).to.equal("done");
    expect(await fetch("blog")).to.match(/There is no app "blog" here/);
    expect(await push("shop")).to.match(/This needs the right `push` for "shop"/);
    await sluice.cli("keys", "add", `${file}.pub`, "--app", "shop");
    expect(await push("blog")).to.match(/There is no app "blog" here/);
    expect(await push("shop")).to.match(/Live: http/);
    const records = await sluice.redis();
    const [[id, text] = ["", "{}"]] = Object.entries(await records.redis.hgetall(keys.sshKeys));
    await records.redis.hset(keys.sshKeys, id, await expired(text, `${id} of ${keys.sshKeys}`));
    records.close();
    expect(await fetch("shop")).to.match(/The key "ann@laptop" expired on 2026-01-31/);
  });

  it("is refused by name once it has expired", async () => {
    const { id, token, expiresAt } = await make({ name: "short", may: "read", expires: "1h" });
    expect(Date.parse(expiresAt ?? "") - Date.now()).to.be.within(3_500_000, 3_600_000);
    expect((await send("GET", "/api/whoami", token)).status).to.equal(200);
    const records = await sluice.redis();
    const text = (await records.redis.hget(keys.tokens, id)) ?? "";
    await records.redis.hset(keys.tokens, id, await expired(text, `${id} of ${keys.tokens}`));
    records.close();
    const answer = await send("GET", "/api/whoami", token);
    expect([answer.status, codeOf(answer)]).to.deep.equal([401, "credential-expired"]);
    expect(answer.body).to.include('The token \\"short\\" expired on 2026-01-31 at 10:00 UTC.');
  });

  it("ends with what still lasts when it is removed", async () => {
    const { id, token } = await make({ name: "gone", may: "read" });
    const followed = send("GET", "/api/events", token);
    expect((await sluice.cli("tokens", "remove", id)).status).to.equal(0);
    const ended: unknown = await followed.catch((error: unknown) => error);
    expect(ended).to.be.instanceOf(Error).and.not.instanceOf(AppError);
  });

  it("is shown with what it may do, and so is one from before", async () => {
    const records = await sluice.redis();
    const old = "0".repeat(64);
    const record = { name: "old", hash: hashToken(old), createdAt: "2026-01-01T00:00:00.000Z" };
    const box = await openSecretBox(new Home(sluice.home).key());
    const text = signRecord(box, record, `00000001 of ${keys.tokens}`);
    await records.redis.hset(keys.tokens, "00000001", text);
    records.close();
    const { stdout } = await sluice.cli("tokens");
    expect(stdout).to.match(/00000001 +\? +old +all +admin \(from before scopes\) +never/);
    const begins = tokens.get("push")?.slice(0, 6) ?? "";
    expect(stdout).to.match(new RegExp(`${begins} +push-shop +shop +push +never`));
    expect(stdout).not.to.include(tokens.get("push"));
    const whoami = async (token: string): Promise<string> =>
      (await sluice.cliWith({ SLUICE_TOKEN: token }, "whoami")).stdout;
    expect(await whoami(old)).to.equal("old: may admin, for all apps\nIt does not expire.");
    expect(await whoami(tokens.get("read") ?? "")).to.include("read-shop: may read, for shop");
    expect((await sluice.cli("whoami")).stdout).to.include("admin: may admin, for all apps");
    expect((await send("GET", "/api/tokens", old)).status).to.equal(200);
  });

  it("leaves an event of each change: who, from where, what", async () => {
    await sluice.cli("tokens", "create", "deployer", "--app", "shop", "--expires", "90d");
    await as("admin", "PATCH", "/api/apps/shop/config", { set: { KEY: "1" } });
    await as("admin", "PUT", "/api/apps/shop/webhook", { branches: ["master"] });
    const hook = { url: "https://example.com/hook", form: "standard", events: "all" };
    await as("admin", "POST", "/api/apps/shop/notifications", hook);
    const { stdout } = await sluice.cli("events", "-n", "200");
    const lines = stdout.split("\n").map((line) => line.slice(21).replace(/ {2,}/g, " | "));
    const date = new Date(Date.now() + 90 * 24 * 3_600_000).toISOString().slice(0, 10);
    expect(lines.some((line) => /token\.created: deployer \(\w+\): push, shop, until /.test(line))).to.equal(
      true,
    );
    expect(stdout).to.include(date).and.to.include("admin (socket)");
    expect(lines).to.include.members([
      "shop | config.changed: KEY | admin-shop (127.0.0.1)",
      "shop | webhook.changed: secret, branches | admin-shop (127.0.0.1)",
      "shop | flag.changed: beta | operate-shop (127.0.0.1)",
    ]);
    expect(
      lines.some((line) => /^shop \| receiver\.added: \w+ \| admin-shop \(127\.0\.0\.1\)$/.test(line)),
    ).to.equal(true);
    expect(stdout).to.match(/shop +release\.live v\d+: production \(master\) +push-shop \(127\.0\.0\.1\)/);
    expect(stdout).to.match(/shop +release\.live v\d+: topic \(topic\) +ann@laptop \(ssh 127\.0\.0\.1\)/);
    expect(await readFile(join(sluice.home, "server.log"), "utf8")).not.to.include(tokens.get("push"));
  });
});
