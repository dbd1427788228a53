import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { silentLog } from "../../../../core/log.js";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import { SecretBox } from "../../../../core/secrets.js";
import { KeyStore } from "../../../../server/access/key-store.js";
import { WrongAttempts } from "../../../../server/access/wrong-attempts.js";
import { sshGit, type SshGitOptions } from "../../../../server/push/ssh/ssh-git.js";
import { eventually } from "../../../support/eventually.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";
import { freePort } from "../../../support/network/free-port.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

const BOX = new SecretBox(Buffer.alloc(32));

describe("connections over SSH", function () {
  this.timeout(20_000);
  const known = newSshKeyPair("known");
  let folder: string;
  let own: OwnRedis;
  let port: number;
  let attempts: WrongAttempts;
  let server: { close(): Promise<void> } | undefined;
  const sockets = new Set<Socket>();
  const clients = new Set<ssh2.Client>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-ssh-"));
    own = await OwnRedis.start();
    const order = { key: known.publicKey, apps: "all", may: "push" } as const;
    await new KeyStore(own.redis, BOX).add(order, { by: "me" });
  });
  after(async () => {
    await own.stop();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    for (const socket of sockets) socket.destroy();
    clients.clear();
    sockets.clear();
    await server?.close();
  });

  async function start(options: Partial<SshGitOptions>): Promise<void> {
    port = await freePort();
    attempts = new WrongAttempts(new FakeClock());
    server = await sshGit({
      ...{ keys: new KeyStore(own.redis, BOX), attempts, hostKeyFile: join(folder, "key"), log: silentLog },
      ...{ bind: "127.0.0.1", port },
      ...options,
      // Nobody gets as far as these.
    } as SshGitOptions);
  }

  /** Says nothing. Gives what it hears, and when it is closed. */
  function open(localAddress = "127.0.0.1"): { heard(): string; isClosed(): boolean; ready: Promise<void> } {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    sockets.add(socket);
    let text = "";
    let isClosed = false;
    const ready = new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        resolve();
      });
      socket.on("close", () => {
        isClosed = true;
        resolve();
      });
    });
    socket.on("error", () => undefined);
    return { heard: () => text, isClosed: () => isClosed, ready };
  }

  async function logIn(privateKey: string, sock?: Socket): Promise<string> {
    const client = new ssh2.Client();
    clients.add(client);
    return new Promise((resolve) => {
      client.on("ready", () => resolve("ready")).on("error", (error) => resolve(error.message));
      client.on("close", () => resolve("closed"));
      const how = sock === undefined ? { host: "127.0.0.1", port } : { sock };
      client.connect({ ...how, username: "git", privateKey });
    });
  }

  it("are closed if nobody has logged in after a while, and not if somebody has", async () => {
    await start({ loginMs: 2000 });
    const silent = open();
    expect(await logIn(known.privateKey)).to.equal("ready");
    let isGone = false;
    for (const client of clients) client.on("close", () => (isGone = true));
    await eventually("the silent one is closed", () => silent.isClosed());
    expect(silent.heard()).to.match(/^SSH-2.0/);
    expect(await logIn(known.privateKey)).to.equal("ready");
    expect(isGone).to.equal(false);
  });

  it("are limited in all", async () => {
    await start({ limits: { inAll: 3, perAddress: 10, halfOpen: 10 } });
    const first = [open("127.0.0.2"), open("127.0.0.3"), open("127.0.0.4")];
    await Promise.all(first.map(async ({ ready }) => ready));
    const fourth = open("127.0.0.5");
    await eventually("it is refused", () => fourth.isClosed());
    expect(fourth.heard()).to.equal("Too many connections. Try again later.\r\n");
    for (const socket of sockets) socket.destroy();
    await eventually("there is room again", async () => (await logIn(known.privateKey)) === "ready");
  });

  it("are limited for each address", async () => {
    await start({ limits: { inAll: 10, perAddress: 2, halfOpen: 10 } });
    const first = [open("127.0.0.2"), open("127.0.0.2")];
    await Promise.all(first.map(async ({ ready }) => ready));
    const third = open("127.0.0.2");
    await eventually("it is refused", () => third.isClosed());
    expect(await logIn(known.privateKey)).to.equal("ready");
  });

  it("are limited while they are half open", async () => {
    await start({ limits: { inAll: 10, perAddress: 10, halfOpen: 2 } });
    expect(await logIn(known.privateKey)).to.equal("ready");
    expect(await logIn(known.privateKey)).to.equal("ready");
    const first = [open(), open()];
    await Promise.all(first.map(async ({ ready }) => ready));
    const third = open();
    await eventually("it is refused", () => third.isClosed());
    expect(third.heard()).to.include("Too many connections");
  });

  it("end when the client is dead", async () => {
    await start({ keepalive: { keepaliveInterval: 50, keepaliveCountMax: 2 } });
    const socket = connect({ port, host: "127.0.0.1" });
    sockets.add(socket);
    expect(await logIn(known.privateKey, socket)).to.equal("ready");
    let isClosed = false;
    socket.on("close", () => (isClosed = true));
    // It reads, so that its end can be seen, and answers nothing any more.
    socket.removeAllListeners("data");
    socket.resume();
    await eventually("the server ends it", () => isClosed);
  });

  it("run nothing any more once their key is removed", async () => {
    await start({});
    const other = newSshKeyPair("other");
    const store = new KeyStore(own.redis, BOX);
    const { id } = await store.add({ key: other.publicKey, apps: "all", may: "push" }, { by: "me" });
    expect(await logIn(other.privateKey)).to.equal("ready");
    await store.remove(id, { by: "me" });
    const [client] = clients;
    const closed = new Promise<string>((resolve) => client?.on("close", () => resolve("closed")));
    client?.exec("git-upload-pack '/shop'", (error, channel) => {
      if (error === undefined) channel.on("error", () => undefined);
    });
    expect(await closed).to.equal("closed");
  });

  it("answer a wrong key late when many have come from there, and a right one at once", async () => {
    await start({ slowMs: 1500 });
    const wrong = newSshKeyPair("wrong").privateKey;
    for (let attempt = 0; attempt < 9; attempt++) expect(await logIn(wrong)).not.to.equal("ready");
    await eventually("they are counted", () => attempts.isPaused("127.0.0.1"));
    const began = performance.now();
    expect(await logIn(wrong)).not.to.equal("ready");
    expect(performance.now() - began).to.be.at.least(1400);
    expect(await logIn(known.privateKey)).to.equal("ready");
  });

  it("end after six wrong passwords", async () => {
    await start({});
    const client = new ssh2.Client();
    clients.add(client);
    let asked = 0;
    const over = new Promise<void>((resolve) => client.on("close", () => resolve()));
    client
      .on("error", () => undefined)
      .connect({
        ...{ host: "127.0.0.1", port, username: "git" },
        authHandler: (_left, _partial, next) => {
          next({ type: "password", username: "git", password: `guess ${++asked}` });
        },
      });
    await over;
    expect(asked).to.equal(6);
  });
});
