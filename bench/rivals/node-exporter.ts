import { httpGet } from "../../test/support/running/test-sluice.js";
import { eventually } from "../../test/support/eventually.js";
import { freePort } from "../../test/support/network/free-port.js";
import type { Workshop } from "../workshop.js";

/** Debian's Prometheus exporter of a machine's figures, as it comes; read once a second until the end. Answers its process. */
export async function nodeExporter(workshop: Workshop): Promise<number> {
  const port = await freePort();
  const program = await workshop.program([
    "prometheus-node-exporter",
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=error",
  ]);
  const read = async (): Promise<number> => (await httpGet(port, "/metrics", {})).status;
  await eventually("node-exporter answers", async () => (await read()) === 200).catch((error: unknown) => {
    throw new Error(`node-exporter does not answer: ${program.output()}`, { cause: error });
  });
  const timer = setInterval(() => void read().catch(() => undefined), 1000);
  workshop.onClose(async () => clearInterval(timer));
  return program.pid;
}
