import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exitOf } from "../../../core/exec/sandbox/exit-of.js";
import type { Home } from "../../../core/home.js";
import { parseAddress, type Address } from "../../../core/instances/address.js";
import { describeEnd } from "../describe-end.js";

/** What stands beside a service's scripts, so that it can be found again. */
const recordSchema = z.object({
  address: z.string().optional(),
  /** Of the scripts. Earlier versions wrote none, and ran it without a sandbox. */
  version: z.number().optional(),
});
export const RECORD_VERSION = 1;
export type InstanceRecord = Readonly<z.infer<typeof recordSchema>>;
export const RECORD = "instance.json";

export async function addressOf(home: Home, id: string): Promise<Address | undefined> {
  return addressIn(await readRecord(home.service(id)));
}

export function addressIn(record: InstanceRecord | undefined): Address | undefined {
  return record?.address === undefined ? undefined : parseAddress(record.address);
}

export async function readRecord(folder: string): Promise<InstanceRecord | undefined> {
  const text = await readFile(join(folder, RECORD), "utf8").catch(() => undefined);
  return text === undefined ? undefined : recordSchema.parse(JSON.parse(text));
}

/** `COUNT STATUS SIGNAL [memory]`, as the finish script writes it. */
export function parseEnd(text: string): { ends: number; lastEnd: string | undefined } {
  const [ends = "", status = "", signal = "", why] = text.trim().split(" ");
  if (ends === "") return { ends: 0, lastEnd: undefined };
  const exit = exitOf(status === "-1" ? 128 + Number(signal) : Number(status));
  return { ends: Number(ends), lastEnd: describeEnd(exit, why === "memory" ? why : undefined) };
}
