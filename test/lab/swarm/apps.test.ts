import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";
import type { LabHost } from "../lab-host.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { LabFleet } from "./lab-fleet.js";

type Files = Readonly<Record<string, string>>;

interface Kind {
  readonly name: string;
  readonly files: (text: string) => Files;
  /** Of its compressed layers. */
  readonly mostMegabytes: number;
}

const PYTHON_SERVER = `
import http.server, os
import greeting
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = greeting.TEXT.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
`;
const NODE_SERVER = `
const greeting = require("greeting");
require("node:http").createServer((request, response) => response.end(greeting)).listen(process.env.PORT);
`;

const KINDS: readonly Kind[] = [
  {
    name: "python",
    mostMegabytes: 60,
    files: (text) => ({
      Procfile: "web: .venv/bin/python server.py\n",
      "requirements.txt": "# Debian's python3 is enough\n",
      "server.py": PYTHON_SERVER,
      "greeting.py": `TEXT = ${JSON.stringify(text)}\n`,
    }),
  },
  {
    name: "files",
    mostMegabytes: 50,
    files: (text) => ({
      Procfile: "web: exec python3 -m http.server --directory public $PORT\n",
      "public/index.html": text,
    }),
  },
  {
    name: "node",
    mostMegabytes: 90,
    files: (text) => ({
      Procfile: "web: node server.js\n",
      "package.json": JSON.stringify({ name: "shop", dependencies: { greeting: "file:greeting" } }),
      "greeting/package.json": JSON.stringify({ name: "greeting", version: "1.0.0", main: "index.js" }),
      "greeting/index.js": `module.exports = ${JSON.stringify(text)};\n`,
      "server.js": NODE_SERVER,
    }),
  },
];

const HUNGRY = "for (const all = []; ;) all.push(Buffer.alloc(1e7, 1));";
/** Grows beyond its limit when it is asked to. */
const GROWING_SERVER = TINY_SERVER.replace(
  'if (url.pathname === "/env")',
  `if (url.pathname === "/grow") { ${HUNGRY} }
  if (url.pathname === "/env")`,
);
const SMALL = JSON.stringify({ sluice: { memoryMegabytes: 64, standbySeconds: 0 } });
/** Of releases whose images are kept: `limits.keepReleases`. */
const KEPT = 5;
const COLLECT_SECONDS = 5;
const COLLECTED_TIMEOUT_MS = 60_000;

/** What only building needs: programs, and files that package managers keep. */
const UNWANTED = `for name in cc gcc g++ c++ make ld apt-get; do command -v $name; done
find / -xdev '(' -name '*.deb' -o -name _cacache -o -name .npm -o -path '*/.cache/pip' -o -path '*/apt/lists/*' ')'
true`;

describe("a Sluice with two hosts", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  before(async function () {
    await test.open(this, [...SERVER_PACKAGES, "python3-venv"]);
    fleet = await LabFleet.start(test.lab, { hosts: 2 });
  });
  after(async () => test.close());

  const answers = async (app: string, text: string): Promise<void> => {
    await eventually(`${app} answers ${text}`, async () => (await fleet.ask(app)).body === text);
  };

  for (const { name, files, mostMegabytes } of KINDS)
    it(`pushes and rolls back one of ${name}, whose image holds no more than it runs with`, async () => {
      await fleet.push(name, files("one"));
      await answers(name, "one");
      const again = await fleet.push(name, files("two"));
      await answers(name, "two");
      await fleet.sluice(`rollback ${name}`);
      await answers(name, "one");
      const megabytes = (await imageBytes(fleet.server, name, "v2")) / 1e6;
      const sent = /image \w+, ([\d.]+) MB sent/.exec(again)?.[1];
      process.stdout.write(`      its image has ${megabytes.toFixed(1)} MB\n`);
      expect(megabytes).to.be.below(mostMegabytes);
      expect(Number(sent)).to.be.below(0.1);
      expect(await inContainerOf(fleet, name, UNWANTED)).to.equal("");
    });

  it("removes the images of earlier releases from every host, and no others", async () => {
    const hosts = fleet.swarm.hosts;
    const imagesOn = async (host: LabHost, repository: string): Promise<string[]> =>
      (
        await host.run(
          `docker images --no-trunc --format '{{.Repository}} {{.Digest}}' | grep -F ${repository} || true`,
        )
      )
        .split("\n")
        .filter(Boolean);
    for (const host of hosts) await host.run("tar -c /etc/hostname | docker import - elsewhere/shop:1");
    const shop = `${fleet.server.address}:5443/shop`;
    for (let count = 1; count <= KEPT + 2; count++) {
      await fleet.push(
        "shop",
        tinyApp({ note: String(count), "app.json": '{ "sluice": { "standbySeconds": 0 } }' }),
      );
      if (count === 1) await fleet.sluice("scale shop web=2");
    }
    for (const host of hosts) expect(await imagesOn(host, shop)).to.have.lengthOf(KEPT + 2);
    await fleet.use("swarm", COLLECT_SECONDS);
    await eventually(
      "each host has those that are kept",
      async () => {
        const counts = await Promise.all(hosts.map(async (host) => (await imagesOn(host, shop)).length));
        return counts.every((count) => count === KEPT);
      },
      COLLECTED_TIMEOUT_MS,
    );
    for (const host of hosts) expect(await imagesOn(host, "elsewhere/shop")).to.have.lengthOf(1);
    await eventually("it says so", async () => (await collections(fleet)).some(({ images }) => images === 4));
    await fleet.sluice("rollback shop");
    await eventually("it is back", async () => (await fleet.ask("shop")).body.startsWith(`v${KEPT + 1} `));
  });

  it("leaves nothing of a collection in which its server was killed, but for its next one", async () => {
    const cleaners = async (): Promise<string> =>
      fleet.server.run("docker service ls -q --filter name=sluice-cleaner");
    await eventually("hosts are cleaned", async () => (await cleaners()) !== "", COLLECTED_TIMEOUT_MS);
    await fleet.killServer();
    const left = await cleaners();
    expect(left).not.to.equal("");
    const before = (await collections(fleet)).length;
    await fleet.up();
    await eventually(
      "hosts are cleaned again",
      async () => (await collections(fleet)).length > before,
      COLLECTED_TIMEOUT_MS,
    );
    expect((await collections(fleet)).at(-1)).to.include({ hosts: 2, silent: 0 });
    await fleet.use("swarm");
    expect(await cleaners()).to.equal("");
    for (const host of fleet.swarm.hosts) {
      const containers = await host.run(
        "docker ps -a --format '{{.Names}}' | grep -c sluice-cleaner || true",
      );
      expect(Number(containers)).to.be.at.most(1);
    }
  });

  it("tells why an instance was killed that needed too much memory on another host", async () => {
    const worker = await fleet.swarm.workers[0]?.run("hostname");
    await fleet.server.run(`docker node update --label-add sluice.role.production=true ${worker ?? ""}`);
    const refused = fleet.push("hungry", { Procfile: `web: node -e '${HUNGRY}'\n`, "app.json": SMALL });
    const error = await refused.then(
      () => expect.fail("it was taken"),
      (reason: unknown) => String(reason),
    );
    expect(error).to.include("web.1 ended (killed by SIGKILL, out of memory) before it was ready");
    expect(error).to.include("sluice: ended, out of memory; its limit is 64 MB");
    await fleet.push("growing", tinyApp({ "server.js": GROWING_SERVER, "app.json": SMALL }));
    expect([...(await fleet.placesOf("growing")).keys()]).to.deep.equal([worker]);
    await fleet.ask("growing", "/grow").catch(() => undefined);
    await eventually("it says so", async () =>
      (await fleet.sluice("status --json")).includes('"lastEnd": "killed by SIGKILL, out of memory"'),
    );
    expect(await fleet.sluice("logs growing")).to.include("sluice: ended, out of memory; its limit is 64 MB");
  });
});

interface Collection {
  readonly hosts: number;
  readonly silent: number;
  readonly images: number;
}

/** What Sluice's log says of each time that hosts were cleaned. */
async function collections({ server }: LabFleet): Promise<Collection[]> {
  const lines = await server.run("grep -h 'releases from the hosts' /var/lib/sluice/server.log || true");
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Collection);
}

/** Sum of an image's layers in Sluice's registry. */
async function imageBytes(server: LabHost, app: string, tag: string): Promise<number> {
  const folder = "/var/lib/sluice/registry";
  const accept = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = await server.run(
    `curl -fsS --cacert ${folder}/ca.crt -u "sluice:$(cat ${folder}/password)" -H 'accept: ${accept}' https://${server.address}:5443/v2/${app}/manifests/${tag}`,
  );
  const { layers } = JSON.parse(manifest) as { layers: { size: number }[] };
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** What a root's command prints in an instance of an app, wherever that runs. */
async function inContainerOf(fleet: LabFleet, app: string, command: string): Promise<string> {
  const container = `$(docker ps -q --filter label=sluice.app=${app} | head -1)`;
  const quoted = command.replaceAll("'", "'\\''");
  for (const host of fleet.swarm.hosts)
    if ((await host.run(`echo ${container}`)) !== "")
      return host.run(`docker exec -u 0 ${container} sh -c '${quoted}'`);
  throw new Error(`${app} runs nowhere`);
}
