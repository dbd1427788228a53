import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { execa } from "execa";
import { silentLog } from "../../../core/log.js";
import { Networks } from "../../../server/engines/runit/network/networks.js";

/** Runs in a network namespace that stands for a machine. Prints what a program in an app's network reaches, as JSON. */
const [folder = "", internet = "", flush] = process.argv.slice(2);
const path = process.env["PATH"] ?? "";

const server = createServer((socket) => socket.end());
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = server.address();
const offered = address !== null && typeof address === "object" ? address.port : 0;
/** Answers each question with the asker's address. */
const names = createSocket("udp4");
names.on("message", (question, { address: asker, port }) => {
  const header = Buffer.from([question[0] ?? 0, question[1] ?? 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const end = question.indexOf(0, 12) + 5;
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...asker.split(".").map(Number)]);
  names.send(Buffer.concat([header, question.subarray(12, end), answer]), port, asker);
});
await new Promise<void>((resolve) => names.bind(53, "127.0.0.1", resolve));

const options = { folder: `${folder}/networks`, owner: folder, path };
const networks = await Networks.open({
  ...options,
  ...{ resolvConf: `${folder}/resolv.conf`, offered: [offered], allowed: [], log: silentLog },
});
const { namespace } = await networks.ensure("app.v1.web.1", "instance");

const PROGRAM = `
const { connect } = require("node:net"), dns = require("node:dns/promises");
const reach = (host, port) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 1000 });
  socket.on("connect", () => { socket.destroy(); resolve("connected"); });
  socket.on("timeout", () => { socket.destroy(); resolve("timeout"); });
  socket.on("error", (error) => resolve(error.code));
});
const ask = new dns.Resolver({ timeout: 1000, tries: 1 });
ask.setServers([require("node:fs").readFileSync("${folder}/resolv.conf", "utf8").split(/\\s/)[1]]);
(async () => console.log(JSON.stringify({
  offered: await reach("198.18.0.1", ${offered}),
  internet: await reach("${internet}", 80),
  name: await ask.resolve4("app.test").then(String, (error) => error.code),
})))();
`;
const reached = async (): Promise<string> =>
  (await execa("nsenter", [`--net=${namespace}`, "--", process.execPath, "-e", PROGRAM])).stdout;

const before = await reached();
let after: string | undefined;
if (flush !== undefined) {
  await execa("nft", ["flush", "ruleset"]);
  for (let attempt = 0; after !== before && attempt < 20; attempt++) after = await reached();
}
await networks.stop();
await Networks.removeAll(options);
const left = (await execa("nft", ["list", "ruleset"])).stdout;
server.close();
names.close();
const devices = left.match(/s[it][0-9a-f]{6}/g);
process.stdout.write(
  `{"before": ${before}, "after": ${after ?? "null"}, "left": ${JSON.stringify(devices)}}`,
);
