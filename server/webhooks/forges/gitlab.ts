import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { sameSecret } from "../../../core/secrets.js";
import { commitSchema } from "./reading/commit.js";
import type { Forge } from "./forge.js";
import { deliveryIdIn, eventIn, headerOf } from "./reading/header.js";
import { jsonOf, shapeOf } from "./reading/payload.js";
import { otherEvent, pushReading } from "./reading/push-reading.js";
import { secretProblem } from "./signatures/secret-problem.js";
import { hasStandardSignature, standardRefusal } from "./signatures/standard-webhooks.js";

const EVENT = "X-Gitlab-Event";
const TOKEN = "X-Gitlab-Token";

const pushSchema = z.object({ ref: z.string(), after: commitSchema });

/**
 * GitLab: the signature (its "signing token") where there is one, else the secret as it stands (its "secret token").
 * A signature that does not hold is not made good by the secret beside it.
 */
export const gitlab: Forge = {
  name: "gitlab",
  recognizes: (headers) => headerOf(headers, EVENT) !== undefined,
  refusal: (incoming, secret, now) =>
    hasStandardSignature(incoming.headers)
      ? standardRefusal(incoming, secret, now)
      : tokenRefusal(incoming.headers, secret),
  // `webhook-id` is what a signature covers; older versions have neither.
  deliveryId: (headers) => deliveryIdIn(headers, "webhook-id", "Idempotency-Key"),
  event: (headers) => eventIn(headers, EVENT),
  read(incoming) {
    const json = jsonOf(incoming);
    const event = eventIn(incoming.headers, EVENT);
    if (event !== "Push Hook") return otherEvent(event);
    const { ref, after } = shapeOf(json, pushSchema);
    return pushReading([{ ref, commit: after }]);
  },
};

function tokenRefusal(headers: IncomingHttpHeaders, secret: string): string | undefined {
  const problem = secretProblem(secret);
  if (problem !== undefined) return problem;
  const token = headerOf(headers, TOKEN);
  if (token === undefined) return `${TOKEN} and webhook-signature are missing`;
  if (token === "") return `${TOKEN} is empty`;
  if (sameSecret(token, secret)) return undefined;
  return token.includes(", ") ? `${TOKEN} appears more than once` : `${TOKEN} is not the app's secret`;
}
