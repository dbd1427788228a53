import { z } from "zod";
import { commitSchema } from "./reading/commit.js";
import type { Forge } from "./forge.js";
import { deliveryIdIn, eventIn, headerOf } from "./reading/header.js";
import { hmacRefusal } from "./signatures/hmac.js";
import { formPayload, isForm, jsonOf, shapeOf } from "./reading/payload.js";
import { otherEvent, pushReading } from "./reading/push-reading.js";

const EVENTS = ["X-Forgejo-Event", "X-Gitea-Event"];
const FORGEJO_SIGNATURE = "X-Forgejo-Signature";

const pushSchema = z.object({ ref: z.string(), after: commitSchema });
const deleteSchema = z.object({ ref: z.string(), ref_type: z.string() });

/**
 * Gitea and Forgejo. Two things are unlike GitHub (their services/webhook and services/repository/push.go): of a form
 * the text in `payload` is signed, not the body; and a branch's deletion comes as the event `delete` alone.
 */
export const gitea: Forge = {
  name: "gitea",
  recognizes: (headers) => EVENTS.some((name) => headerOf(headers, name) !== undefined),
  refusal(incoming, secret) {
    const { headers, body } = incoming;
    const signed = isForm(incoming) ? formPayload(incoming) : body;
    if (signed === undefined) return "the form must have exactly one field `payload`";
    const header =
      headerOf(headers, FORGEJO_SIGNATURE) === undefined ? "X-Gitea-Signature" : FORGEJO_SIGNATURE;
    return hmacRefusal(headers, { header, prefix: "", signed }, secret);
  },
  deliveryId: (headers) => deliveryIdIn(headers, "X-Forgejo-Delivery", "X-Gitea-Delivery"),
  event: (headers) => eventIn(headers, ...EVENTS),
  read(incoming) {
    const json = jsonOf(incoming);
    const event = eventIn(incoming.headers, ...EVENTS);
    if (event === "push") {
      const { ref, after } = shapeOf(json, pushSchema);
      return pushReading([{ ref, commit: after }]);
    }
    if (event !== "delete") return otherEvent(event);
    const { ref, ref_type: type } = shapeOf(json, deleteSchema);
    const folder = type === "branch" ? "heads" : "tags";
    return pushReading([{ ref: `refs/${folder}/${ref}`, commit: undefined }]);
  },
};
