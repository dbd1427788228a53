import { z } from "zod";
import { commitSchema } from "./reading/commit.js";
import type { Forge } from "./forge.js";
import { deliveryIdIn, eventIn, headerOf } from "./reading/header.js";
import { hmacRefusal } from "./signatures/hmac.js";
import { jsonOf, shapeOf } from "./reading/payload.js";
import { otherEvent, pushReading, type PushedRef } from "./reading/push-reading.js";

const EVENT = "X-Event-Key";

const refSchema = z.object({ type: z.string(), name: z.string() });
const changeSchema = z
  .object({
    /** Null: deleted. */
    new: refSchema.extend({ target: z.object({ hash: commitSchema }) }).nullable(),
    /** Null: new. */
    old: refSchema.nullish(),
  })
  .transform(({ new: pushed, old }, context): PushedRef => {
    const ref = pushed ?? old;
    if (ref) return { ref: fullName(ref), commit: pushed?.target.hash };
    context.addIssue({ code: "custom", message: "has neither `new` nor `old`" });
    return z.NEVER;
  });
const pushSchema = z.object({ push: z.object({ changes: z.array(changeSchema) }) });

/** Bitbucket Cloud. One delivery may tell of several branches. */
export const bitbucket: Forge = {
  name: "bitbucket",
  recognizes: (headers) => headerOf(headers, EVENT) !== undefined,
  refusal: ({ headers, body }, secret) =>
    hmacRefusal(headers, { header: "X-Hub-Signature", prefix: "sha256=", signed: body }, secret),
  deliveryId: (headers) => deliveryIdIn(headers, "X-Request-UUID"),
  event: (headers) => eventIn(headers, EVENT),
  read(incoming) {
    const json = jsonOf(incoming);
    const event = eventIn(incoming.headers, EVENT);
    if (event !== "repo:push") return otherEvent(event);
    return pushReading(shapeOf(json, pushSchema).push.changes);
  },
};

/** `branch` is a branch; `tag` and `annotated_tag` are tags; others there are not in a repository of Git. */
function fullName({ type, name }: z.infer<typeof refSchema>): string {
  if (type === "branch") return `refs/heads/${name}`;
  return type.endsWith("tag") ? `refs/tags/${name}` : `refs/${type}/${name}`;
}
