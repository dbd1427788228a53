import { httpGet } from "../../test/support/running/test-sluice.js";
import { askHttps } from "../../test/support/tls/ask-https.js";
import { eventually } from "../../test/support/eventually.js";
import type { Program, Workshop } from "../workshop.js";

/** A proxy that is measured, and answers with what the upstream says. */
export interface Rival {
  readonly name: string;
  readonly port: number;
  /** Leads its processes. */
  readonly pid: number;
  /** What is sent along, besides the host of the app that all of them serve. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a proxy in front of `upstream`, which is an address and a port. */
export type StartRival = (workshop: Workshop, upstream: string) => Promise<Rival>;

/** Waits until a program answers on its port. Throws with what it printed. */
export async function answering(
  name: string,
  port: number,
  program: Program,
  scheme: "http" | "https" = "http",
): Promise<Rival> {
  const ask = async (): Promise<{ status: number }> =>
    scheme === "http" ? httpGet(port, "/", { host: "localhost" }) : askHttps(port, "localhost");
  await eventually(`${name} answers`, async () => (await ask()).status === 200).catch((error: unknown) => {
    throw new Error(`${name} does not answer: ${program.output()}`, { cause: error });
  });
  return { name, port, pid: program.pid };
}
