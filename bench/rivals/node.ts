import { freePort } from "../../test/support/network/free-port.js";
import { answering, type StartRival } from "./rival.js";

const PROXY = new URL("node-proxy.ts", import.meta.url).pathname;

/** What one would write oneself: a proxy of a screen, one process, connections kept on both sides. */
export const nodeProxy: StartRival = async (workshop, upstream) => {
  const port = await freePort();
  const argv = [process.execPath, ...process.execArgv, PROXY, String(port), upstream] as const;
  return answering("Node proxy", port, await workshop.program([argv[0], ...argv.slice(1)]));
};
