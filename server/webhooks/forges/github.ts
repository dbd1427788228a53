import { z } from "zod";
import { commitSchema } from "./reading/commit.js";
import type { Forge } from "./forge.js";
import { deliveryIdIn, eventIn, headerOf } from "./reading/header.js";
import { hmacRefusal } from "./signatures/hmac.js";
import { jsonOf, shapeOf } from "./reading/payload.js";
import { otherEvent, pushReading } from "./reading/push-reading.js";

const EVENT = "X-GitHub-Event";

const pushSchema = z.object({ ref: z.string(), after: commitSchema });

/** GitHub and GitHub Enterprise. A deletion comes as a push; the event `delete` beside it is not needed. */
export const github: Forge = {
  name: "github",
  recognizes: (headers) => headerOf(headers, EVENT) !== undefined,
  refusal: ({ headers, body }, secret) =>
    hmacRefusal(headers, { header: "X-Hub-Signature-256", prefix: "sha256=", signed: body }, secret),
  deliveryId: (headers) => deliveryIdIn(headers, "X-GitHub-Delivery"),
  event: (headers) => eventIn(headers, EVENT),
  read(incoming) {
    const json = jsonOf(incoming);
    const event = eventIn(incoming.headers, EVENT);
    if (event !== "push") return otherEvent(event);
    const { ref, after } = shapeOf(json, pushSchema);
    return pushReading([{ ref, commit: after }]);
  },
};
