import { expect } from "chai";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { throughout } from "../../support/throughout.js";
import { askHttps } from "../../support/tls/ask-https.js";
import { Pebble } from "../../support/tls/pebble.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { HTTP_PORT, LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";

const HTTPS_PORT = 8443;
const CA_FILE = "/root/authority.crt";
const REPLACED = 20;

describe("certificates at several proxies", function () {
  this.timeout(300_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let fleet: LabFleet;
  let pebble: Pebble;
  let edges: LabHost[];
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this);
    fleet = await LabFleet.start(servers.lab, { hosts: 1 });
    edges = await bare.lab.boot(3);
    pebble = await Pebble.start({ httpPort: HTTP_PORT, bind: fleet.server.gateway });
    await fleet.server.copy(pebble.caFile, CA_FILE);
    await fleet.configure(
      [
        `tls: { email: admin@example.test, directory: "${pebble.directory}", caFile: ${CA_FILE} }`,
        `network: { nameServers: ["${pebble.nameServer}"], allow: [10.77.0.0/16] }`,
        `publicAddresses: [${edges.map(({ address }) => address).join(", ")}]`,
      ].join("\n"),
    );
    await fleet.giveLabKey();
    await fleet.push("shop", tinyApp());
    for (const index of [0, 1]) await join(index);
  });
  after(async () => {
    await servers.close();
    await bare.close();
    await pebble.stop();
  });

  const join = async (index: number): Promise<void> => {
    const provision = `provision proxy ${edges[index]?.address ?? ""} --identity ${LAB_KEY} --name edge-${index}`;
    expect(await fleet.sluice(provision)).to.include(`edge-${index} is ready`);
  };
  const served = async (edge: LabHost, host: string): Promise<string> => {
    const root = await pebble.root();
    const options = { root, address: edge.address };
    const answer = await eventually(
      `${edge.address} answers by https`,
      async () => askHttps(HTTPS_PORT, host, options).catch(() => undefined),
      30_000,
    );
    expect([answer.status, answer.body]).to.deep.equal([200, "v1 web.1"]);
    return answer.certificate.fingerprint256;
  };

  it("are ordered once, whichever of them the authority asks, and served by each", async () => {
    await pebble.point("www.shop.test", ...edges.slice(0, 2).map(({ address }) => address));
    const began = Date.now();
    await fleet.sluice("domains shop add www.shop.test");
    const found = [];
    for (const edge of [fleet.server, ...edges.slice(0, 2)]) found.push(await served(edge, "www.shop.test"));
    process.stdout.write(`      https at all proxies after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    expect(new Set(found).size).to.equal(1);
    for (const edge of edges.slice(0, 2)) {
      const headers = { host: "www.shop.test" };
      expect((await ask(`${edge.address}:${HTTP_PORT}`, { headers })).status).to.equal(301);
    }
  });

  it("are at a proxy that is new from its first moment on", async () => {
    await join(2);
    const [, , newcomer] = edges;
    if (newcomer === undefined) throw new Error("there is none");
    const { certificate } = await askHttps(HTTPS_PORT, "www.shop.test", { address: newcomer.address });
    expect(certificate.issuer.CN).to.include("Pebble");
    const file = "/var/lib/sluice/certificates_key";
    expect(await newcomer.run(`stat -c %a ${file}; ls /var/lib/sluice/key 2>&1 || true`)).to.match(
      /^600\n.*No such file/,
    );
  });

  it("change under load without a failed request, at every proxy", async () => {
    const failures: string[] = [];
    let [isOver, requests] = [false, 0];
    const visiting = Promise.all(
      edges.map(async (edge) =>
        throughout(
          () => isOver,
          async () => {
            requests++;
            const options = { address: edge.address };
            const answer = await askHttps(HTTPS_PORT, "www.shop.test", options).catch(String);
            if (typeof answer === "string" || answer.status !== 200) failures.push(JSON.stringify(answer));
          },
          120_000,
        ),
      ),
    );
    for (let round = 0; round < REPLACED; round++) {
      const { certificate, key } = await pebble.files.issue({ names: ["www.shop.test"] });
      await fleet.server.run(`cat >/root/own.crt <<'END'\n${certificate}${pebble.files.intermediate}\nEND`);
      await fleet.server.run(`cat >/root/own.key <<'END'\n${key}\nEND`);
      await fleet.sluice("certs shop add /root/own.crt /root/own.key");
    }
    isOver = true;
    await visiting;
    process.stdout.write(
      `      ${failures.length} of ${requests} requests failed, with ${REPLACED} certificates\n`,
    );
    expect(failures).to.deep.equal([]);
  });

  it("are served again by a proxy whose power has failed", async () => {
    const [edge] = edges;
    if (edge === undefined) throw new Error("there is none");
    await edge.powerOff();
    await edge.powerOn();
    const options = { address: edge.address, root: pebble.files.root };
    await eventually(
      "it serves",
      async () =>
        (await askHttps(HTTPS_PORT, "www.shop.test", options).catch(() => undefined))?.status === 200,
      60_000,
    );
  });
});
