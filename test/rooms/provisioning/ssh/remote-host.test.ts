import { expect } from "chai";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import { RemoteHost } from "../../../../provisioning/ssh/remote-host.js";
import { HostileSshHost, type Behaviour } from "../../../support/network/hostile-ssh-host.js";

const MEGABYTE = Buffer.alloc(1024 * 1024, "x");

describe("a host over SSH that cannot be trusted", function () {
  this.timeout(30_000);
  let server: HostileSshHost | undefined;
  let remote: RemoteHost | undefined;
  afterEach(async () => {
    remote?.close();
    await server?.stop();
  });

  const connect = async (behave: Behaviour, signal = new AbortController().signal): Promise<RemoteHost> => {
    server = await HostileSshHost.start(behave);
    remote = await RemoteHost.connect(
      {
        ...{ host: "web-1", address: "127.0.0.1", port: server.port, user: "root" },
        privateKeys: [newSshKeyPair("ours").privateKey],
        hostKeys: [server.key.publicKey],
      },
      signal,
    );
    return remote;
  };
  const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => "done",
      (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
    );

  it("is given up when it sends without end, before that fills the memory", async () => {
    let sent = 0;
    const host = await connect((channel) => {
      const send = (): void => {
        while (channel.writable && sent < 512) {
          sent++;
          if (!channel.write(MEGABYTE)) {
            channel.once("drain", send);
            return;
          }
        }
      };
      send();
    });
    expect(await codeOf(host.output("cat /etc/hostname"))).to.equal("host-output-long");
    expect(sent).to.be.lessThan(64);
  });

  it("gives a terminal no orders by what a failing command prints", async () => {
    const host = await connect((channel) => {
      channel.stderr.write("\u001b]0;a title\u0007\u001b[2Jno such file\n");
      channel.exit(1);
      channel.end();
    });
    const failed = await host.output("cat /x").catch((error: unknown) => String(error));
    expect(failed).to.include("no such file").and.not.include("\u001b");
  });

  it("is given up when it says nothing", async () => {
    const host = await connect(() => undefined);
    expect(await codeOf(host.run("true", { timeoutMs: 200 }))).to.equal("host-unreachable");
  });

  it("does not hold up who stops", async () => {
    const stop = new AbortController();
    const host = await connect(() => undefined, stop.signal);
    const running = host.run("apt-get install", { timeoutMs: 600_000 }).catch((error: unknown) => error);
    stop.abort(new Error("the server stops"));
    expect(await running).to.have.property("message", "the server stops");
  });

  it("does not hold up who stops while it does not let anybody in", async () => {
    const deaf = createServer().listen(0, "127.0.0.1");
    await once(deaf, "listening");
    // A server that listens on TCP has such an address.
    const { port } = deaf.address() as AddressInfo;
    const stop = new AbortController();
    const login = { host: "web-1", address: "127.0.0.1", port, user: "root", hostKeys: [] };
    const keys = { privateKeys: [newSshKeyPair("ours").privateKey] };
    const connecting = RemoteHost.connect({ ...login, ...keys }, stop.signal).catch(
      (error: unknown) => error,
    );
    await once(deaf, "connection");
    const began = performance.now();
    stop.abort(new Error("the server stops"));
    expect(await connecting).to.have.property("message", "the server stops");
    expect(performance.now() - began).to.be.lessThan(1000);
    deaf.close();
  });

  it("is given up when its connection ends in the middle", async () => {
    const host = await connect((channel) => channel.destroy());
    expect(await codeOf(host.run("true"))).to.equal("host-unreachable");
  });
});
