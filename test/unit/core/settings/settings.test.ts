import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../../../core/errors/app-error.js";
import { homeFolder, loadSettings } from "../../../../core/settings/settings.js";

describe("settings", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "settings-"))));
  after(async () => rm(folder, { recursive: true }));

  const load = async (yaml: string, env: NodeJS.ProcessEnv = {}) => {
    const file = join(folder, "sluice.yml");
    await writeFile(file, yaml);
    return loadSettings(env, file);
  };

  it("have a default for everything", async () => {
    expect(await loadSettings({}, join(folder, "none.yml"))).to.deep.include({
      bind: "127.0.0.1",
      httpPort: 8080,
      controlPort: 8081,
      sshPort: 2222,
      domain: "localhost",
      gates: "pre-receive",
    });
  });

  it("let the environment win over the file, and the file over the defaults", async () => {
    const settings = await load("httpPort: 9000\ncontrolPort: 9001\nredis: {}\n", {
      SLUICE_HTTP_PORT: "9002",
      SLUICE_REDIS_URL: "redis://localhost:1",
      SLUICE_TOKEN: "t",
    });
    expect(settings).to.include({ httpPort: 9002, controlPort: 9001, token: "t" });
    expect(settings.redis.url).to.equal("redis://localhost:1");
  });

  it("tell all problems at once, with path, value and the nearest known key", async () => {
    const error = await load("htpPort: 1\nhttpPort: none\nlimits:\n  gateSeconds: 1\n  pushMegabytes: -4\n", {
      SLUICE_SSH_PORT: "ssh",
      SLUICE_CONTROL_PORT: "99999",
    }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(AppError);
    const { message } = error as AppError;
    expect(message).to.include("htpPort: unknown key; did you mean httpPort?");
    expect(message).to.include("limits.gateSeconds: unknown key; did you mean limits.gatesSeconds?");
    expect(message).to.match(/limits\.pushMegabytes: .* \(it is -4\)/);
    expect(message).to.match(/httpPort: .* \(it is "none"\)/);
    expect(message).to.include('SLUICE_SSH_PORT: "ssh" is not a whole number');
    expect(message).to.match(/SLUICE_CONTROL_PORT: .* \(it is 99999\)/);
  });

  it("take the password of the mail server from the environment, for a mail server that the file names", async () => {
    const email = "{ smtp: { host: m, user: u, password: a }, from: a@b.c, to: [a@b.c] }";
    const env = { SLUICE_SMTP_PASSWORD: "b" };
    expect((await load(`monitor: { email: ${email} }`, env)).monitor.email?.smtp.password).to.equal("b");
    expect((await load("", env)).monitor.email).to.equal(undefined);
  });

  it("take an outside registry of images, its password from the environment", async () => {
    const yaml = (address: string): string => `fleet: { registry: { address: "${address}", user: u } }`;
    const env = { SLUICE_REGISTRY_PASSWORD: "b" };
    for (const address of [
      ...["registry.example.com", "registry.example.com:5000/team/apps", "10.0.0.9:5000", "localhost:5000/a"],
      ...["docker.example.com/a", "r.example.com/a-b/c_d/e.f"],
    ])
      expect((await load(yaml(address), env)).fleet.registry).to.include({ address, password: "b" });
    expect((await load("", env)).fleet.registry).to.equal(undefined);
    for (const address of [
      ...["registry", "https://registry.example.com", "registry.example.com/", "registry.example.com/Team"],
      ...["registry.example.com/a//b", "docker.io/team", "index.docker.io/team", "r.example.com:port/a"],
    ]) {
      const error = await load(yaml(address), env).catch((reason: unknown) => reason);
      expect(String(error), address).to.include("fleet.registry.address: must ");
    }
  });

  it("tell no secret among the problems", async () => {
    const yaml = `
      monitor:
        email: { smtp: { url: "smtp://u:hush@m", password: [hush], user: u }, from: a@b.c, to: [a@b.c] }
        webhook: { url: "hush", secret: hush }
        slack: { url: "http://hush:x@h" }`;
    const { message } = (await load(yaml).catch((reason: unknown) => reason)) as AppError;
    for (const key of ["smtp.password", "webhook.url", "webhook.secret", "slack.url"])
      expect(message).to.match(new RegExp(`monitor\\.(email\\.)?${key}: .*\\[redacted\\]`));
    expect(message).not.to.include("hush");
  });

  it("know also the keys that have no default", async () => {
    const yaml = "redis:\n  urll: redis://x\nproxy:\n  maxConection: 3\ndefalt: a\n";
    const { message } = (await load(yaml).catch((reason: unknown) => reason)) as AppError;
    for (const key of ["redis.url", "proxy.maxConnections", "default"])
      expect(message).to.include(`did you mean ${key}?`);
  });

  it("take an empty variable for one that is not set", async () => {
    const settings = await load("httpPort: 9000\n", {
      SLUICE_HTTP_PORT: "",
      SLUICE_TOKEN: "",
      SLUICE_BIND: "",
    });
    expect(settings).to.include({ httpPort: 9000, token: undefined, bind: "127.0.0.1" });
  });

  it("take addresses and networks for proxies that are trusted, and nothing else", async () => {
    const networks = ["192.0.2.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "2001:db8::/32", "::/0"];
    const { trustedProxies } = await load(`trustedProxies: ${JSON.stringify(networks)}\n`);
    expect(trustedProxies).to.deep.equal(networks);
    for (const bad of [
      ...["", "proxy.example.com", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/8/8", "::/129"],
      ...["fe80::1%eth0", "10.0.0.1 ::1", "10.0.0.0/-1", "10.0.0.1\n  bind :1"],
    ]) {
      const error = await load(`trustedProxies: [${JSON.stringify(bad)}]\n`).catch(
        (reason: unknown) => reason,
      );
      expect(String(error), bad).to.include("trustedProxies.0: must be an address or a network");
    }
  });

  it("refuse a range of ports that holds none", async () => {
    const error = await load("instances:\n  ports: {first: 30000, last: 20000}\n").catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).to.include("instances.ports: last must not be below first");
  });

  it("refuse what is no YAML, or no settings", async () => {
    for (const text of ["a: [", "- 1\n- 2\n"]) {
      expect(await load(text).catch((reason: unknown) => (reason as AppError).code)).to.equal(
        "settings-invalid",
      );
    }
  });

  it("find the state folder by SLUICE_HOME, by root, by HOME", () => {
    expect(homeFolder({ SLUICE_HOME: "/srv/sluice" }, true)).to.equal("/srv/sluice");
    expect(homeFolder({ HOME: "/home/me" }, true)).to.equal("/var/lib/sluice");
    expect(homeFolder({ HOME: "/home/me" }, false)).to.equal("/home/me/.sluice");
  });
});
