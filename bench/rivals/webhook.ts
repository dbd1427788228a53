import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { httpGet } from "../../test/support/running/test-sluice.js";
import { eventually } from "../../test/support/eventually.js";
import { freePort } from "../../test/support/network/free-port.js";
import type { Workshop } from "../workshop.js";

/** Debian's `webhook`: one hook that checks GitHub's signature, answers, and runs `true`. Answers its URL. */
export async function webhookProgram(workshop: Workshop, secret: string): Promise<string> {
  const port = await freePort();
  const file = join(await workshop.folder(), "hooks.json");
  await writeFile(file, JSON.stringify([hook(secret)]));
  const flags = ["-hooks", file, "-ip", "127.0.0.1", "-port", String(port)];
  const program = await workshop.program(["webhook", ...flags]);
  await eventually("webhook answers", async () => (await httpGet(port, "/", {})).status === 200).catch(
    (error: unknown) => {
      throw new Error(`webhook does not answer: ${program.output()}`, { cause: error });
    },
  );
  return `http://127.0.0.1:${port}/hooks/deploy`;
}

function hook(secret: string): object {
  const parameter = { source: "header", name: "X-Hub-Signature-256" };
  return {
    id: "deploy",
    "execute-command": "/bin/true",
    "success-http-response-code": 202,
    "trigger-rule": { match: { type: "payload-hmac-sha256", secret, parameter } },
  };
}
