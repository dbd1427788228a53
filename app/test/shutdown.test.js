import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { expect } from "chai";
import { Shutdown } from "../shutdown.js";

describe("shutdown", () => {
  let server;
  let shutdown;
  let answer;
  let asked;

  beforeEach(async () => {
    server = http.createServer();
    shutdown = new Shutdown(server);
    asked = once(server, "request");
    server.on("request", (req, res) => (answer = res));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => server.closeAllConnections());

  async function connect(text) {
    const accepted = once(server, "connection");
    const socket = net.connect(server.address().port, "127.0.0.1");
    socket.on("error", () => {});
    await accepted;
    let received = "";
    socket.on("data", (data) => (received += data));
    const ended = new Promise((resolve) => socket.once("close", () => resolve(received)));
    if (text) {
      socket.write(text);
      await asked;
    }
    return { socket, ended };
  }

  const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

  it("lets a request in flight finish, and tells that the connection ends", async () => {
    const { ended } = await connect(REQUEST);
    const over = shutdown.run();
    expect(shutdown.signal.aborted).to.equal(true);
    answer.end("finished");
    expect(await ended)
      .to.match(/Connection: close\r\n/)
      .and.match(/finished/);
    expect(await over).to.deep.equal({ cut: 0 });
  });

  it("closes the connection of a stream that had begun before, once the stream ends", async () => {
    const { ended } = await connect(REQUEST);
    answer.write("begun,");
    const over = shutdown.run();
    answer.end("ended");
    expect(await ended).to.match(/begun,[^]*ended/);
    expect(await over).to.deep.equal({ cut: 0 });
  });

  it("answers a request that was on the way", async () => {
    const { socket, ended } = await connect();
    const over = shutdown.run();
    socket.write(REQUEST);
    await asked;
    answer.end("just in time");
    expect(await ended).to.match(/Connection: close\r\n[^]*just in time/);
    expect(await over).to.deep.equal({ cut: 0 });
  });

  it("closes a connection on which nothing was ever asked", async () => {
    const { ended } = await connect();
    const over = shutdown.run({ silentMs: 5 });
    expect(await ended).to.equal("");
    expect(await over).to.deep.equal({ cut: 0 });
  });

  it("cuts what is still open at the deadline", async () => {
    const { ended } = await connect(REQUEST);
    expect(await shutdown.run({ deadlineMs: 5 })).to.deep.equal({ cut: 1 });
    expect(await ended).to.equal("");
  });
});
