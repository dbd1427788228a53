import { once } from "node:events";
import http from "node:http";
import { expect } from "chai";
import { streamEvents } from "../events.js";

describe("events", () => {
  let server;
  let stopping;
  let open;

  beforeEach(async () => {
    stopping = new AbortController();
    server = http.createServer((req, res) => {
      open = res;
      streamEvents(res, { release: "v42", stopping: stopping.signal, everyMs: 5 });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  const get = (options) => fetch(`http://127.0.0.1:${server.address().port}`, options);

  it("sends the release at once and again and again, until the client leaves", async () => {
    const res = await get();
    expect(res.headers.get("content-type")).to.equal("text/event-stream");
    const left = open;
    await readThreeAndLeave(res);
    if (!left.closed) await once(left, "close");
    let writes = 0;
    left.write = () => writes++;
    // The other stream's events are the clock: the first one would have had its turn.
    await readThreeAndLeave(await get());
    expect(writes).to.equal(0);
  });

  it("ends when we stop", async () => {
    const res = await get();
    stopping.abort();
    expect(await res.text()).to.match(/^(data: v42\n\n)+$/);
  });

  it("has only headers for HEAD", async () => {
    const res = await get({ method: "HEAD" });
    expect(res.headers.get("content-type")).to.equal("text/event-stream");
    expect(await res.text()).to.equal("");
  });
});

async function readThreeAndLeave(res) {
  let text = "";
  for await (const chunk of res.body) {
    text += Buffer.from(chunk);
    if (text.length >= 30) break; // ends the connection
  }
  expect(text).to.match(/^(data: v42\n\n){3,}$/);
}
