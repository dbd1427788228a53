import { expect } from "chai";
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { TestClone } from "../../support/git/test-clone.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { throughout } from "../../support/throughout.js";
import { TestAuthorityFiles } from "../../support/tls/test-certificates.js";

const HOST = "www.shop.test";
const RELEASES = 20;
const UPLOAD_PARTS = 200;

/** Streams, takes uploads, and echoes on WebSockets, whose frames it does not look into. */
const SERVER = `
const http = require("node:http");
const { createHash } = require("node:crypto");
const { RELEASE, PORT } = process.env;
const server = http.createServer((request, response) => {
  if (request.url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write("data: " + RELEASE + "\\n\\n"), 50);
    return response.on("close", () => clearInterval(timer));
  }
  if (request.method === "POST") {
    let bytes = 0;
    request.on("data", (chunk) => (bytes += chunk.length));
    return request.on("end", () => response.end(RELEASE + " " + bytes));
  }
  response.end(RELEASE);
});
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: " + accept + "\\r\\n\\r\\n" + RELEASE + "\\n");
  socket.on("data", (bytes) => socket.write(RELEASE + " " + bytes));
  socket.on("error", () => socket.destroy());
});
server.listen(PORT);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
`;

describe("a browser's visit over HTTP/2, during releases", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let clone: TestClone;
  let authority: TestAuthorityFiles;
  let session: ClientHttp2Session;
  before(async () => {
    authority = await TestAuthorityFiles.make();
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", { "server.js": SERVER, Procfile: "web: node server.js\n" });
    await clone.mustPush();
    await sluice.cli("domains", "shop", "add", HOST);
    const { certificate, key } = await authority.issue({ names: [HOST] });
    const [crt, keyFile] = [join(sluice.folder, "crt"), join(sluice.folder, "key")];
    await writeFile(crt, certificate + authority.intermediate);
    await writeFile(keyFile, key);
    expect((await sluice.cli("certs", "shop", "add", crt, keyFile)).status).to.equal(0);
    session = connectHttp2(`https://127.0.0.1:${sluice.httpsPort}`, { ca: authority.root, servername: HOST });
    session.on("error", () => undefined);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
  });
  after(async () => {
    session.destroy();
    await sluice.dispose();
    await authority.remove();
  });

  const stream = (headers: Record<string, string>): ClientHttp2Stream =>
    session.request({ ":authority": HOST, ":scheme": "https", ...headers });
  const get = async (): Promise<string> => {
    const request = stream({ ":path": "/" });
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    await new Promise((resolve, reject) => request.once("end", resolve).once("error", reject));
    return body;
  };

  it("harms no request, WebSocket, stream or upload", async () => {
    const sockets = [
      new Talk(await overHttp2(stream)),
      new Talk(await overHttp11(sluice.httpsPort, authority.root)),
    ];
    const events = new Talk(stream({ ":path": "/events" }));
    const upload = stream({ ":path": "/upload", ":method": "POST" });
    let uploaded = "";
    upload.setEncoding("utf8");
    upload.on("data", (chunk: string) => (uploaded += chunk));
    const seen: string[] = [];
    const failures: string[] = [];
    let isOver = false;
    const visiting = throughout(
      () => isOver,
      async () => {
        await get().then(
          (body) => seen.push(body),
          (error: unknown) => failures.push(String(error)),
        );
      },
      100_000,
    );
    const sending = (async () => {
      for (let part = 0; part < UPLOAD_PARTS; part++) {
        upload.write(Buffer.alloc(1000));
        await pause(90);
      }
      upload.end();
    })();
    for (let release = 2; release <= RELEASES + 1; release++) {
      await clone.commit({ "note.txt": String(release) });
      await clone.mustPush();
    }
    await sending;
    await eventually("the upload is answered", () => uploaded !== "", 10_000);
    isOver = true;
    await visiting;
    expect(failures).to.deep.equal([]);
    expect(uploaded).to.equal(`v1 ${UPLOAD_PARTS * 1000}`);
    for (const socket of sockets) expect(await socket.echo("still")).to.equal("v1");
    expect(events.isClosed).to.equal(false);
    expect([...new Set(events.text.match(/v\d+/g))]).to.deep.equal(["v1"]);
    expect(seen.at(-1)).to.equal(`v${RELEASES + 1}`);
    expect(session.destroyed, "one connection for all").to.equal(false);
    process.stdout.write(
      `      ${seen.length} requests over one connection, ${RELEASES} releases: none failed\n`,
    );
    for (const talk of [...sockets, events]) talk.end();
  });
});

/** What is read and written on a stream. */
class Talk {
  text = "";
  isClosed = false;

  constructor(private readonly stream: Duplex) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => (this.text += chunk));
    stream.on("close", () => (this.isClosed = true));
    stream.on("error", () => undefined);
  }

  async echo(word: string): Promise<string> {
    this.stream.write(word);
    return eventually(`the echo of ${word}`, () => new RegExp(`(v\\d+) ${word}`).exec(this.text)?.[1]);
  }

  end(): void {
    this.stream.destroy();
  }
}

/** RFC 8441. */
async function overHttp2(stream: (headers: Record<string, string>) => ClientHttp2Stream): Promise<Duplex> {
  const opened = stream({
    ...{ ":method": "CONNECT", ":protocol": "websocket", ":path": "/socket" },
    "sec-websocket-version": "13",
  });
  const status = await new Promise((resolve, reject) =>
    opened.once("response", (headers) => resolve(headers[":status"])).once("error", reject),
  );
  expect(status).to.equal(200);
  return opened;
}

async function overHttp11(port: number, ca: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    httpsRequest({
      ...{ host: "127.0.0.1", port, path: "/socket", servername: HOST, ca },
      headers: {
        host: HOST,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": Buffer.alloc(16).toString("base64"),
      },
    })
      .once("upgrade", (_response, socket) => resolve(socket))
      .once("error", reject)
      .end();
  });
}
