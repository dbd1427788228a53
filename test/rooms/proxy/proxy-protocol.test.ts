import { expect } from "chai";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { ProxyTrial, routesOf } from "../../contract/proxy/proxy-trial.js";
import { RunningHaproxy } from "../../contract/proxy/running-haproxy.js";

const QUESTION = "GET /headers HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n";

describe("HAProxy, behind a load balancer that begins with a PROXY header", function () {
  this.timeout(30_000);
  const trial = new ProxyTrial(async () =>
    RunningHaproxy.start({ proxyProtocolFrom: ["127.0.0.2", "10.0.0.0/8"] }),
  );
  beforeEach(async () => {
    await trial.begin();
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [await trial.upstream("v1")] } }));
  });
  afterEach(async () => trial.end());

  const said = async (localAddress: string, bytes: string | Buffer): Promise<string> => {
    const socket = connect({ host: "127.0.0.1", port: trial.running.port, localAddress });
    socket.on("error", () => undefined);
    // Who closes their half of a connection has left.
    socket.write(bytes);
    return text(socket).catch(() => "");
  };

  it("believes it about the visitor, in either version", async () => {
    const first = `PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n${QUESTION}`;
    expect(await said("127.0.0.2", first)).to.include('"x-forwarded-for","203.0.113.9"');
    const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
    const header = Buffer.from("2111000ccb007109c000020112670050", "hex");
    const second = Buffer.concat([signature, header, Buffer.from(QUESTION)]);
    expect(await said("127.0.0.2", second)).to.include('"x-forwarded-for","203.0.113.9"');
  });

  it("closes connections from there without one, and takes none from anybody else", async () => {
    expect(await said("127.0.0.2", QUESTION)).not.to.include("200 OK");
    expect(await said("127.0.0.3", QUESTION)).to.include('"x-forwarded-for","127.0.0.3"');
    const forged = `PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n${QUESTION}`;
    expect(await said("127.0.0.3", forged)).not.to.include("203.0.113.9");
  });
});
