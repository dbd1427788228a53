import { z } from "zod";
import { commitSchema } from "./reading/commit.js";
import type { Forge } from "./forge.js";
import { deliveryIdIn, headerOf } from "./reading/header.js";
import { hmacRefusal } from "./signatures/hmac.js";
import { jsonOf, shapeOf } from "./reading/payload.js";
import { pushReading } from "./reading/push-reading.js";
import { secretProblem } from "./signatures/secret-problem.js";
import { hasStandardSignature, standardRefusal } from "./signatures/standard-webhooks.js";

const HEX_HEADERS = ["X-Hub-Signature-256", "X-Signature-256"];

/** Null or zeros: deleted. Never by leaving it out. */
const commitOrNone = commitSchema.nullable().transform((commit) => commit ?? undefined);
const refSchema = z.object({ ref: z.string(), after: commitOrNone });
const branchSchema = z
  .object({ branch: z.string(), commit: commitOrNone })
  .transform(({ branch, commit }) => ({ ref: branch, after: commit }));

/** Whatever else can sign: a CI job, a script, another forge. Of several proofs in one delivery all must hold. */
export const generic: Forge = {
  name: "generic",
  recognizes: () => true,
  refusal(incoming, secret, now) {
    const { headers, body } = incoming;
    const problem = secretProblem(secret);
    if (problem !== undefined) return problem;
    const hexHeaders = HEX_HEADERS.filter((header) => headerOf(headers, header) !== undefined);
    const isStandard = hasStandardSignature(headers);
    if (hexHeaders.length === 0 && !isStandard)
      return `${HEX_HEADERS.join(", ")} and webhook-signature are missing`;
    const refusals = hexHeaders.map((header) =>
      hmacRefusal(headers, { header, prefix: "sha256=", signed: body }, secret),
    );
    if (isStandard) refusals.push(standardRefusal(incoming, secret, now));
    return refusals.find((refusal) => refusal !== undefined);
  },
  deliveryId: (headers) => deliveryIdIn(headers, "webhook-id", "Idempotency-Key"),
  event: () => "push",
  read(incoming) {
    const json = jsonOf(incoming);
    const isShort = typeof json === "object" && json !== null && "branch" in json && !("ref" in json);
    const { ref, after } = isShort ? shapeOf(json, branchSchema) : shapeOf(json, refSchema);
    return pushReading([{ ref: ref.startsWith("refs/") ? ref : `refs/heads/${ref}`, commit: after }]);
  },
};
