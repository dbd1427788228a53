import { expect } from "chai";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstanceRecord } from "../../../../core/records/releases/release-record.js";
import type { Clock } from "../../../../core/clock.js";
import { Output } from "../../../../server/pipeline/output.js";
import type { ReleaseWork } from "../../../../server/pipeline/step.js";
import { checkInstances } from "../../../../server/pipeline/bring-up/check-instances.js";
import { freePort } from "../../../support/network/free-port.js";

/** What one instance does, as far as its health is concerned. */
interface Instance {
  /** How it answers; undefined: it never listens. */
  readonly answer?: RequestListener;
  readonly ends?: number;
  /** Whether it is somebody else who answers at its port. */
  readonly isForeign?: boolean;
}

describe("the health check of a release", () => {
  let tree: string;
  let servers: Server[];
  /** `INSTANCE PATH` of each request. */
  let requests: string[];
  beforeEach(async () => {
    tree = await mkdtemp(join(tmpdir(), "health-"));
    await writeFile(join(tree, "Procfile"), "web: node server.js\n");
    [servers, requests] = [[], []];
  });
  afterEach(async () => {
    for (const server of servers) server.close().closeAllConnections();
    await rm(tree, { recursive: true });
  });

  const status =
    (code: number): RequestListener =>
    (_, response) => {
      response.writeHead(code).end("what it says");
    };
  const OK: Instance = { answer: status(200) };

  const checks = async (...list: object[]): Promise<void> =>
    writeFile(join(tree, "app.json"), JSON.stringify({ healthchecks: { web: list } }));

  describe("without one in app.json", () => {
    for (const code of [200, 302, 404, 499])
      it(`passes with ${code}`, async () => {
        expect(await outcome({ answer: status(code) })).to.equal("healthy");
      });

    for (const code of [500, 503])
      it(`fails with ${code}, after three attempts at /`, async () => {
        expect(await outcome({ answer: status(code) })).to.match(
          new RegExp(`^web\\.1 is not healthy: GET / answered ${code}`),
        );
        expect(requests).to.deep.equal(["1 /", "1 /", "1 /"]);
      });
  });

  it("asks every instance, and fails with the one that is not healthy, whichever it is", async () => {
    expect(await outcome(OK, OK, OK)).to.equal("healthy");
    expect(requests.sort()).to.deep.equal(["1 /", "2 /", "3 /"]);
    for (const sick of [1, 2, 3]) {
      const instances = [1, 2, 3].map((index) => (index === sick ? { answer: status(500) } : OK));
      expect(await outcome(...instances)).to.match(new RegExp(`^web\\.${sick} is not healthy`));
    }
  });

  it("asks for every check of app.json, and fails with the one that does not pass", async () => {
    await checks({ path: "/one" }, { path: "/two" });
    expect(await outcome(OK)).to.equal("healthy");
    expect(requests).to.deep.equal(["1 /one", "1 /two"]);
    const answer: RequestListener = (request, response) =>
      response.writeHead(request.url === "/two" ? 404 : 200).end();
    expect(await outcome({ answer })).to.match(/^web\.1 is not healthy: GET \/two answered 404/);
  });

  it("passes a check of app.json with 200 to 399 only", async () => {
    await checks({ path: "/", attempts: 1 });
    for (const code of [200, 204, 399]) expect(await outcome({ answer: status(code) })).to.equal("healthy");
    for (const code of [400, 499, 500])
      expect(await outcome({ answer: status(code) })).to.match(/not healthy/);
  });

  it("tries a check as often as app.json says, and takes the last attempt's answer", async () => {
    await checks({ path: "/", attempts: 4 });
    let answers = 0;
    const better: RequestListener = (_, response) => response.writeHead(++answers < 4 ? 500 : 200).end();
    expect(await outcome({ answer: better })).to.equal("healthy");
    answers = -1;
    expect(await outcome({ answer: better })).to.match(/not healthy/);
    expect(requests).to.have.length(8);
  });

  it("waits for one that does not listen yet as long as its attempts would take, then says so", async () => {
    await checks({ path: "/", attempts: 1, timeout: 1, wait: 0 });
    expect(await outcome({})).to.match(/^web\.1 is not healthy: GET \/ found nothing listening at PORT=\d+/);
  });

  it("does not wait for one that has ended", async () => {
    expect(await outcome({ ends: 1 })).to.match(/^web\.1 ended \(status 3\) before it was ready/);
  });

  it("does not take the answer of somebody else at an instance's port for its own", async () => {
    expect(await outcome({ ...OK, isForeign: true, ends: 1 })).to.match(/^web\.1 ended \(status 3\)/);
  });

  /** Of a release with these instances; time passes as fast as anybody waits for it. */
  async function outcome(...instances: Instance[]): Promise<string> {
    const addresses = await Promise.all(instances.map(addressOf));
    const records = addresses.map((address, index): InstanceRecord => ({
      ...{ id: `shop.v1.web.${index + 1}`, process: "web", index: index + 1, address },
    }));
    let now = 0;
    const clock: Clock = {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
    const indexOf = (id: string): number => records.findIndex((record) => record.id === id);
    // What a check asks of the server and of the engine is enough for this.
    const work = {
      app: { name: "shop" },
      record: { number: 1, instances: records, artifact: { kind: "tree" } },
      out: new Output(),
      endsBefore: new Map(),
      tools: {
        clock,
        home: { tree: () => tree },
        settings: { domain: "localhost", instances: { memoryMegabytes: 64, maxMemoryMegabytes: 64 } },
        engine: {
          state: async (id: string) =>
            Promise.resolve({ ends: instances[indexOf(id)]?.ends ?? 0, lastEnd: "status 3" }),
          listening: async (id: string) =>
            Promise.resolve(
              instances[indexOf(id)]?.isForeign || instances[indexOf(id)]?.answer === undefined
                ? []
                : [addresses[indexOf(id)]],
            ),
        },
        logs: {
          read: async function* () {
            yield* [];
          },
        },
      },
    } as unknown as ReleaseWork;
    return checkInstances(work, records, { signal: new AbortController().signal, areFresh: true }).then(
      () => "healthy",
      (error: unknown) => (error as Error).message,
    );
  }

  async function addressOf({ answer }: Instance, index: number): Promise<string> {
    const port = await freePort();
    if (answer !== undefined) {
      const server = createServer((request, response) => {
        requests.push(`${index + 1} ${request.url ?? ""}`);
        answer(request, response);
      }).listen(port, "127.0.0.1");
      servers.push(server);
      await once(server, "listening");
    }
    return `127.0.0.1:${port}`;
  }
});
